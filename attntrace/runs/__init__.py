"""One run of something: a sentence on a model, a training step, a translation; live or saved."""
