/** The form that the OCA's template gives to XML, YAML, JavaScript and Markdown. */
module.exports = {
  plugins: [require.resolve("@prettier/plugin-xml")],
  bracketSpacing: false,
  printWidth: 88,
  proseWrap: "always",
  trailingComma: "es5",
  xmlWhitespaceSensitivity: "preserve",
};
