"""The Markov chain of the race: its arithmetic, what can be read out of it, and its file."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from model.chain import MAX_ORDER, SAFE, Chain, ChainError
from model.network import Network
from model.sampling import Sampling
from model.tensors import open_tensors, read_header, read_tensors, write
from model.weights import WeightsError, load_decoder, resolve
from model.writing import START, generate
