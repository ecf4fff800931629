"""The compiled engine (numba): docs/model.md, One time step, in float32 or float64.

Where each step of the model is computed:

| docs/model.md | file | function |
|---|---|---|
| presentation | kernels.py | `present`, `_rest`, `_present` |
| 1 decay of v and theta, 2 integrate | subthreshold.py | `advance` |
| 1 decay of the traces | plasticity.py, competition.py | `decay_y`, `update_x`, `_update_traces`, when needed |
| 3 threshold, 7 reset | kernels.py | `_fire`, in the steps in which `advance` finds a neuron at threshold |
| 4 transmit: input spikes | subthreshold.py | `advance` |
| 4 transmit: competition | competition.py | `inhibit` |
| 5 traces | plasticity.py, competition.py | `raise_y`, `update_x`, `_update_traces` |
| 6 plasticity of XY | plasticity.py; shared.py where positions share kernels | `learn`; `learn_shared` |
| 6 plasticity of YY | competition.py | `learn_competition` |
| End of a presentation | kernels.py, competition.py, normalisation.py | `_end`, `end_competition`, `normalise` |

In most steps of a position no neuron spikes. `advance` runs through these subthreshold steps in one loop; `_present`
does the rest of a step in which a neuron reaches its threshold or weights have to change.

Around the steps: engine.py is the engine that other packages use, and the only file here that imports specs; events.py
sorts the input spikes by receptive field; schedule.py divides presentations among threads; state.py and memory.py hold
the records that kernels work on; blocks.py and vectors.py are the vector type in which kernels compute; stages.py times
the stages for the benchmark.
"""
