// The width of an image that no ComfyUI survives: told by the load, known to the simulated ComfyUI.

export const POISON_WIDTH = 13;
