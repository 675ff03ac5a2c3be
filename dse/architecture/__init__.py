"""Architecture search: which of many networks to train, when each costs minutes and few can be afforded."""
