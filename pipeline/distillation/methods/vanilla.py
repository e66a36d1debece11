"""No distillation: without a schedule there is no teacher's term, and the gold tags alone teach."""

from pipeline.distillation.settings import Settings as Settings
