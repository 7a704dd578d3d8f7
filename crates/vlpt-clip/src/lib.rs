//! CLIP as two frozen towers.
//!
//! * [`ModelName`] and [`Hub`]: from a name as users write it to files.
//! * [`Clip`]: a checked model in memory: configuration, tokenizer, preprocessing, both towers.
//! * [`TextTower`] and [`ImageTower`]: `forward(input, prompts) -> (features, tape)` and `backward(tape, d_features) -> d_prompts`.
