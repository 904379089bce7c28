# Debian's Python is optimized; one that was built on the machine often is not.
PYTHON ?= $(or $(wildcard /usr/bin/python3),python3)
ARGS ?=
# A command is a function: of the module, by its name, with the arguments in ARGS.
DEVTOOLS = @exec $(PYTHON) -m devtools

.PHONY: help setup run shell test test-addon test-e2e coverage test-faults test-peers pictures lint format i18n matrix package bench clean distclean
.NOTPARALLEL:

help: ## Show this list
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## Install what is missing: packages, Odoo 19, the Python environment
	$(DEVTOOLS) environment setup

run: ## Run a demo shop with the addons and an inbox (PORT=, INBOX_PORT=)
	$(DEVTOOLS) shop serve

shell: ## Open `odoo shell` on that shop, or run the script on standard input
	$(DEVTOOLS) shop shell

test: ## Run the tests, without the long ones (ARGS= for pytest)
	$(DEVTOOLS) checks test $(ARGS)

test-addon: ## Run the addons' own tests (ADDON= one, ARGS=, WITH= other modules)
	$(DEVTOOLS) checks test_addon $(ARGS)

test-e2e: ## Run the tests from outside (ARGS= for pytest)
	$(DEVTOOLS) checks test_e2e $(ARGS)

coverage: ## Run the addons' own tests, and fail if they run less than 95 %
	$(DEVTOOLS) checks coverage $(ARGS)

test-faults: ## Run the long tests: races, crashes, attacks, updates
	$(DEVTOOLS) checks test_e2e -m slow $(ARGS)

test-peers: ## Run Odoo's own tests with the addons and without (ARGS= modules)
	$(DEVTOOLS) checks test_peers $(ARGS)

pictures: export PICTURES = tests/screenshots
pictures: ## Take pictures of all pages, on a computer and a phone
	$(DEVTOOLS) checks test_e2e -n3 --dist=loadfile tests/pictures.py tests/story.py $$(grep -l open_page tests/test_*.py) $(ARGS)

lint: ## Check code style (ARGS= for pre-commit)
	$(DEVTOOLS) checks lint $(ARGS)

format: ## Fix code style in place
	$(DEVTOOLS) checks reformat $(ARGS)

i18n: ## Refresh the translation files
	$(DEVTOOLS) package i18n

matrix: ## Run the addons' tests with other modules, Pythons, PostgreSQLs (ARGS= rows)
	$(DEVTOOLS) matrix matrix $(ARGS)

package: ## Build the addons' wheels in dist/ and try them
	$(DEVTOOLS) package package

bench: ## Measure speed against the targets, half an hour (ARGS= see benchmarks/)
	@exec $(PYTHON) -m benchmarks $(ARGS)

clean: ## Remove this clone's shop and generated files
	$(DEVTOOLS) shop clean

distclean: clean ## Remove everything downloaded and built, too
	$(DEVTOOLS) shop distclean
