"""Evidence understood: one module per artifact. It yields records and issues and renders nothing."""
