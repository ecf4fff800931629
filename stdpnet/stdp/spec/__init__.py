"""The tables of a configuration that describe a spiking network trained by STDP."""
