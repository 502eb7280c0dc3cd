"""What a story can be asked for: defaults, and limits that Discord and the command line check."""

from model.sampling import Sampling

DEFAULTS = Sampling(length=300)
MAX_PROMPT = 500  # characters
MAX_LENGTH = 1500  # characters of a story
MAX_TOP_K = 100
MIN_TOP_P = 0.01
MAX_SEED = 2**53 - 1  # Discord's largest whole number
