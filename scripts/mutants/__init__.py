"""Small changes to the core, and which of them no unit test notices: ``python -m scripts.mutants``."""
