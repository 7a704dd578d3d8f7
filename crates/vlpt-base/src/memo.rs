//! Values that are made once a process and used by all its threads.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Whose value comes later: the lock is held while it is made.
type Place<T> = Arc<Mutex<Option<Arc<T>>>>;

/// Values by name, each made by the first who asks; others wait for it.
///
/// Who makes one holds a lock meanwhile. It may use threads if those who may wait here are not
/// among them: let each caller compute in a pool of its own.
#[derive(Debug)]
pub struct Memo<T> {
    places: Mutex<BTreeMap<String, Place<T>>>,
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self {
            places: Mutex::default(),
        }
    }
}

impl<T> Memo<T> {
    /// The value of that name, made by `make` where there is none yet.
    ///
    /// # Errors
    /// Those of `make`; the next who asks tries again.
    pub fn get<E>(&self, name: &str, make: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        let place = {
            let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            places.entry(name.to_owned()).or_default().clone()
        };
        let mut value = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = &*value {
            return Ok(value.clone());
        }
        let made = Arc::new(make()?);
        *value = Some(made.clone());
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_made_once_and_a_failure_is_tried_again() {
        let shared = Memo::<u32>::default();
        assert_eq!(shared.get("a", || Err::<u32, _>("no")).unwrap_err(), "no");
        let made = std::sync::atomic::AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let make = || {
                        made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        Ok::<u32, ()>(7)
                    };
                    assert_eq!(*shared.get("a", make).unwrap(), 7);
                });
            }
        });
        assert_eq!(made.into_inner(), 1);
    }
}
