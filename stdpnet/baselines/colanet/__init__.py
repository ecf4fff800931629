"""CoLaNET and locally learned kernels (docs/colanet.md)."""
