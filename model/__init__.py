"""The network and all that makes it speak: vocabulary, sampling, weights, two forward passes."""
