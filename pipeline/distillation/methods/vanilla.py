"""No distillation: without a schedule there is no teacher's term; the student learns the gold tags alone."""

from pipeline.distillation.settings import Settings as Settings
