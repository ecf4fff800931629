"""Spiking networks trained by backpropagation through time with surrogate gradients (docs/surrogate-gradient.md)."""
