//! Images batch by batch: the next ones are read and decoded while the tower works on these.

/// Images decoded and encoded at a time. What an image gets does not depend on it.
pub const BATCH: usize = 32;

/// Does `work` on one batch after the other, each with what `decode` makes of it; the next one is
/// decoded meanwhile. No more than two are held.
///
/// # Errors
/// The first one, of whichever part; batches before it are done.
pub fn pipelined<B: Send, D: Send, E: Send>(
    mut next: impl FnMut() -> Result<Option<B>, E> + Send,
    decode: impl Fn(&B) -> D + Sync,
    mut work: impl FnMut(B, D) -> Result<(), E> + Send,
) -> Result<(), E> {
    let mut decoded = || -> Result<Option<(B, D)>, E> {
        Ok(next()?.map(|batch| {
            let decoded = decode(&batch);
            (batch, decoded)
        }))
    };
    let mut waiting = decoded()?;
    while let Some((batch, ready)) = waiting {
        let (done, following) = rayon::join(|| work(batch, ready), &mut decoded);
        done?;
        waiting = following?;
    }
    Ok(())
}
