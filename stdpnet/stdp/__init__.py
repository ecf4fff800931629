"""Networks of spiking neurons that learn by STDP: description, state, simulation, learning and responses."""
