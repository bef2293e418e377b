"""PDF: fixed templates set by typst from prepared text, with fonts of our own."""
