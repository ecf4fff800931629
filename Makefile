# `make demo` and `make test` need Python >= 3.11, gcc (g++ for Brian2's cython target) and make, nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export PYTHONDONTWRITEBYTECODE := # modules are compiled once, not in each process, also where the environment says otherwise

.PHONY: demo test contracts benchmark check docs wheel configs paper install clean

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --editable ".[all,dev]"
	touch $@

demo: install
	@run=runs/demo-$$(date +%Y%m%d-%H%M%S) && \
	echo "Training a small locally connected network on the digits of scikit-learn, without labels:" && \
	$(BIN)/stdpnet train configs/digits.toml --run $$run && \
	echo "Reading its spikes out, calibrated with labels:" && \
	$(BIN)/stdpnet evaluate $$run && \
	echo "Done. The run is in $$run: its configuration, provenance, trained state and scores." && \
	echo "Next: $(BIN)/stdpnet info $$run" && \
	echo "      $(BIN)/stdpnet train configs/lcsnn-25-k12.toml   (MNIST; found through STDPNET_DATA, or downloaded)" && \
	echo "      $(BIN)/stdpnet config show digits                (what every key means)"

test: install
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

# What engines and models promise; quick enough for a further PYTHON and VENV.
contracts: install
	$(BIN)/python -m pytest -n auto tests/models/test_contract.py tests/stdp/engines/test_contract.py

benchmark: install
	$(BIN)/python -m pytest tests/benchmarks -o addopts="--import-mode=importlib" -o python_files="bench_*.py"

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(VENV)/installed-docs: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --editable ".[docs]"
	touch $@

# The site; warnings are errors.
docs: $(VENV)/installed-docs
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "The site is in docs/_build/html/index.html."

# Wheel and sdist into dist/; the wheel, built from the sdist, is tried away from the clone.
wheel: install
	rm -rf dist
	$(BIN)/python -m build --outdir dist . > /dev/null
	tests/wheel.sh $(BIN)/python dist/*.whl

configs: install
	$(BIN)/python -m stdpnet.spec.presets configs

# Table 2 and every figure of the thesis into runs/paper; for example `make paper PAPER="--seeds 5"`
paper: install
	$(BIN)/python analysis/paper/all.py $(PAPER)

clean:
	rm -rf $(VENV) dist docs/_build docs/_generated .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
