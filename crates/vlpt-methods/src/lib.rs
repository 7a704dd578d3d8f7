//! Prompt methods: from a few learned vectors to the prompts of a frozen CLIP
