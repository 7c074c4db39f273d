# Each of these does the set-up that it needs; a second time it starts at once.
BIN := .venv/bin
export PYTHONDONTWRITEBYTECODE= # where it is set, every start compiles all modules again
SETUP := scripts/setup.sh pyproject.toml constraints.txt

WORKERS := 3 # one more than the cores of a small machine: many tests wait for devices and other programs

.PHONY: play test lint types bench clean
play: .venv/ready ## play the demo: in a window, or to a video in output/ where there is no display
	$(BIN)/perform play --film

test: .venv/ready-to-test
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --max-worker-restart 0 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: .venv/ready-to-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready-to-test
	$(BIN)/mypy

bench: .venv/ready ## figures of this machine; one bench with: make bench ARGS=loop
	$(BIN)/perform bench $(ARGS)

clean:
	rm -rf .venv output dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/ready: $(SETUP) debian-packages.txt
	@scripts/setup.sh debian-packages.txt
	@touch $@

.venv/ready-to-test: .venv/ready tests/debian-packages.txt
	@scripts/setup.sh tests/debian-packages.txt dev,link,ndi
	@touch $@
