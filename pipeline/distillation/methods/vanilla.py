"""No distillation: without a schedule there is no teacher's term, and the gold tags alone teach the student."""

from pipeline.distillation.settings import Settings as Settings
