"""Names of the files that one stage writes and others read."""

CONFIG, WEIGHTS, TOKENIZER_CONFIG = "config.json", "model.safetensors", "tokenizer_config.json"
"""Of an encoder's or a tagger's folder, as `save_pretrained` writes it."""

HISTORY = "history.json"
"""How a tagger was trained; beside its weights."""

TEXT = "text.parquet"
"""The encoded unlabelled text, in a folder of its own."""

METRICS, PREDICTIONS, TRANSITIONS = "metrics.json", "predictions.parquet", "transitions.json"
"""What a model reached on the test split."""
