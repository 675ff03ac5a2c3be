"""Tables, plots and the HTML page, made from a run's artifacts alone."""
