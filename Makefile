# The two commands:  make lab   opens the course;   make test   runs the suite.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: lab test bench format lock pictures

lab:
	@$(PYTHON) tools/bootstrap.py lab
	@$(BIN)/lightcourse lab $(ARGS)

test:
	@$(PYTHON) tools/bootstrap.py test
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/basedpyright --level error
	@$(BIN)/lightcourse build --check
	@$(BIN)/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder --durations=25 --durations-min=8 $(ARGS)

bench:
	@$(PYTHON) tools/bootstrap.py test
	@$(BIN)/pip install -q --no-deps --upgrade --target .bench -r tests/bench/tools.txt
	@for file in tests/bench/bench_*.py; do echo "== $$file"; PYTHONPATH=.bench $(BIN)/python $$file; done

format:
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

# the pictures of README.md, made by the project's own export
pictures:
	$(BIN)/lightcourse demo receptive-field --png docs/receptive-field.png --set net=fast --set layer=4 --set px=26 --set py=24
	$(BIN)/lightcourse demo receptive-field --png docs/effective-field-dark.png --set net=fast --set layer=5 --set view=95% --theme dark
	$(BIN)/lightcourse demo cost-microscope --png docs/cost-microscope.png
	$(BIN)/lightcourse demo channel-shuffle --gif docs/channel-shuffle.gif --set groups=3

# after a change of pyproject.toml, in a fresh .venv without the old pins
lock:
	@$(BIN)/python tools/lock.py
