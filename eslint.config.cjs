/**
 * ESLint's recommended rules, and those that are errors in the OCA's template. Prettier
 * looks after the form.
 */
const js = require("@eslint/js");
const jsdoc = require("eslint-plugin-jsdoc");
const globals = require("globals");

module.exports = [
  js.configs.recommended,
  {
    plugins: {jsdoc},
    rules: {
      eqeqeq: "error",
      "init-declarations": "error",
      "jsdoc/check-param-names": "error",
      "jsdoc/check-tag-names": "error",
      "jsdoc/check-types": "error",
      "no-duplicate-imports": "error",
      "no-else-return": "error",
      "no-empty-function": "error",
      "no-eq-null": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-lonely-if": "error",
      "no-negated-condition": "error",
      "no-param-reassign": "error",
      "no-return-assign": "error",
      "no-shadow": "error",
      "no-unneeded-ternary": "error",
      "no-unused-expressions": "error",
      "no-use-before-define": "error",
      "operator-assignment": ["error", "always"],
      "prefer-const": "error",
      radix: "error",
      "spaced-comment": ["error", "always"],
      yoda: "error",
    },
  },
  {
    // Odoo's modules
    files: ["**/static/**/*.js"],
    languageOptions: {
      ecmaVersion: 2024,
      sourceType: "module",
      globals: globals.browser,
    },
  },
  {
    files: ["**/*.cjs"],
    languageOptions: {sourceType: "commonjs", globals: globals.node},
  },
];
