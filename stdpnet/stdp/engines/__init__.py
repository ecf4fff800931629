"""How a network is simulated: engines behind one protocol."""
