# Two commands carry this project: `make demo` and `make test`. Both do everything from a bare
# clone; `make help` lists the others.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SCREEN := -screen 0 1366x768x24
# An Xvfb of our own unless there is a screen to show things on.
DISPLAY_RUN := $(if $(DISPLAY)$(WAYLAND_DISPLAY),,xvfb-run -a -s "$(SCREEN)")

# What Qt and OpenGL need on a bare Debian or Ubuntu, and the venv module if it is split off.
SYSTEM_PACKAGES := xvfb xauth libegl1 libgl1 libgl1-mesa-dri libopengl0 libglib2.0-0 libdbus-1-3 \
	libfontconfig1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 \
	libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libxcb-xkb1 \
	$(if $(shell $(PYTHON) -c 'import ensurepip' 2>&1),python3-venv)

.PHONY: demo test test-slow check format docs screenshots benchmarks fuzz install system clean help

help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: install ## Simulate, label, train, pick and show; results go to demo-output/
	$(BIN)/napari-cryoml demo --out demo-output

test: install ## Run the tests
	$(DISPLAY_RUN) $(BIN)/python -m pytest

test-slow: install ## Run the slow tests too
	$(DISPLAY_RUN) $(BIN)/python -m pytest -m "slow or not slow"

check: install ## Lint, format, types, layers and manifest
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/npe2 validate src/napari_cryoml/napari.yaml

fuzz: install ## Feed every reader 10,000 broken files; takes hours
	$(BIN)/python fuzz/run.py

format: install ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: install ## Build the documentation into site/
	$(BIN)/python -m pip install --quiet --group docs -c constraints.txt
	$(BIN)/mkdocs build --strict

screenshots: install ## Make the pictures of the documentation again
	$(DISPLAY_RUN) $(BIN)/python docs/screenshots.py

benchmarks: install ## Measure what docs/benchmarks.md states; takes hours
	$(BIN)/python benchmarks/nms.py
	$(DISPLAY_RUN) $(BIN)/python benchmarks/gui.py
	$(DISPLAY_RUN) $(BIN)/python benchmarks/live.py
	$(DISPLAY_RUN) $(BIN)/python benchmarks/embedding.py
	$(BIN)/python benchmarks/picking.py
	$(BIN)/python benchmarks/subtomograms.py
	$(BIN)/python benchmarks/scaling.py
	$(BIN)/python benchmarks/proteins.py

install: system $(VENV)/.installed ## Make .venv with the tested set of libraries

# Only what is missing is asked for; where apt-get is not to be had, the line to run is printed.
system:
	@command -v dpkg-query >/dev/null 2>&1 || exit 0; \
	missing=$$(for p in $(SYSTEM_PACKAGES); do \
	  dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	[ -z "$$missing" ] && exit 0; \
	line="apt-get update && apt-get install -y --no-install-recommends $$(echo $$missing)"; \
	if [ "$$(id -u)" = 0 ]; then sudo=""; \
	elif sudo -n true 2>/dev/null; then sudo="sudo"; \
	else echo "System libraries are missing. Run this line, then try again:"; \
	  echo "  sudo sh -c '$$line'"; exit 1; fi; \
	echo "Installing system libraries:" $$missing; \
	$$sudo env DEBIAN_FRONTEND=noninteractive sh -c "$$line" >/tmp/napari-cryoml-apt.log 2>&1 \
	  || { tail -5 /tmp/napari-cryoml-apt.log; \
	       echo "apt-get failed. Run this line, then try again:"; echo "  $$line"; exit 1; }

$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet torch -c constraints.txt
	$(BIN)/python -m pip install --quiet -e ".[pyqt6]" --group dev -c constraints.txt
	touch $@

clean: ## Remove what was built
	rm -rf $(VENV) build dist site demo-output .mypy_cache .ruff_cache .pytest_cache
