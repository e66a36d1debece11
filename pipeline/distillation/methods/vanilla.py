"""No distillation: without a schedule there is no distillation loss, and the gold loss has the weight 1."""

from pipeline.distillation.settings import Settings as Settings
