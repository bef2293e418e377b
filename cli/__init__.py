"""The terminal: one module per command group; `console` does all printing."""
