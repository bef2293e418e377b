"""The steps of `verify`: one module a step, each listing every problem that it finds."""
