"""Charts of the HTML page, as Vega-Lite documents whose colours are names of the page's style sheet."""
