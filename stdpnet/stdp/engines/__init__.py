"""The engines that simulate a network, behind one protocol."""
