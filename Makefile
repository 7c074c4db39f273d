# The first of these to run does all set-up; a second one starts at once.
BIN := .venv/bin
export PYTHONDONTWRITEBYTECODE= # where it is set, every start compiles all modules again
SETUP := scripts/setup.sh pyproject.toml constraints.txt

WORKERS := 3 # one more than the cores of a small machine: many tests wait for devices and other programs

.PHONY: play test lint types bench clean
play: .venv/ready ## play the demo: in a window, or to a video in output/ where there is no display
	$(BIN)/perform play

test: .venv/ready-to-test
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --max-worker-restart 0 --dist loadfile $(ARGS)

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready
	$(BIN)/mypy

bench: .venv/ready ## figures of this machine; one bench with: make bench ARGS=loop
	$(BIN)/perform bench $(ARGS)

clean:
	rm -rf .venv output dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/ready: $(SETUP) debian-packages.txt
	scripts/setup.sh debian-packages.txt
	@touch $@

.venv/ready-to-test: .venv/ready tests/debian-packages.txt
	scripts/setup.sh --packages tests/debian-packages.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[link]'
	@touch $@
