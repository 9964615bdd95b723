// Built from ncabook/live/engine by build.py. Change the sources there, not this file.
export { Classroom, Learner, SETTINGS, Trainer, dice, liveWeights, metaOf, safetensors };
