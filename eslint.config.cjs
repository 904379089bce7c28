/**
 * ESLint's recommended rules, and those of the OCA's template, its warnings as errors.
 * Left out: what ESLint has deprecated, what needs options to do anything, and `strict`,
 * which is for scripts that are no modules. Prettier looks after the form.
 */
const js = require("@eslint/js");
const jsdoc = require("eslint-plugin-jsdoc");
const globals = require("globals");

const rules = [
  "accessor-pairs",
  "array-callback-return",
  "dot-notation",
  "eqeqeq",
  "init-declarations",
  "jsdoc/check-param-names",
  "jsdoc/check-tag-names",
  "jsdoc/check-types",
  "max-depth",
  "max-nested-callbacks",
  "max-statements-per-line",
  "no-alert",
  "no-array-constructor",
  "no-caller",
  "no-div-regex",
  "no-duplicate-imports",
  "no-else-return",
  "no-empty-function",
  "no-eq-null",
  "no-eval",
  "no-extend-native",
  "no-extra-bind",
  "no-extra-label",
  "no-implicit-globals",
  "no-implied-eval",
  "no-inline-comments",
  "no-inner-declarations",
  "no-iterator",
  "no-label-var",
  "no-labels",
  "no-lone-blocks",
  "no-lonely-if",
  "no-multi-str",
  "no-negated-condition",
  "no-new",
  "no-new-func",
  "no-new-wrappers",
  "no-octal-escape",
  "no-param-reassign",
  "no-proto",
  "no-return-assign",
  "no-script-url",
  "no-self-compare",
  "no-sequences",
  "no-shadow",
  "no-throw-literal",
  "no-undef-init",
  "no-unmodified-loop-condition",
  "no-unneeded-ternary",
  "no-unused-expressions",
  "no-use-before-define",
  "no-useless-call",
  "no-useless-computed-key",
  "no-useless-concat",
  "no-useless-constructor",
  "no-useless-rename",
  "no-void",
  "prefer-const",
  "radix",
  "sort-imports",
  "yoda",
];

module.exports = [
  js.configs.recommended,
  {
    plugins: {jsdoc},
    rules: {
      ...Object.fromEntries(rules.map((rule) => [rule, "error"])),
      "capitalized-comments": [
        "error",
        "always",
        {ignoreConsecutiveComments: true, ignoreInlineComments: true},
      ],
      complexity: ["error", 15],
      "no-implicit-coercion": ["error", {allow: ["~"]}],
      "operator-assignment": ["error", "always"],
      "spaced-comment": ["error", "always"],
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
