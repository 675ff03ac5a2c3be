"""Architecture search: which networks of a large space to train, when each takes minutes and few can be afforded."""
