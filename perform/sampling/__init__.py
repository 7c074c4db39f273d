"""Pictures of a model by seed, as files and as contact sheets."""
