"""Making models of one's own: datasets, training, and figures of how it goes."""
