//! The options of a method: typed inside its file, tables of documented keys outside.

use std::any::Any;
use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The options of one table with their types erased; [`options!`](crate::options) makes such a type.
pub trait MethodOptions: Any + Debug + Send + Sync {
    /// The same options once more.
    fn boxed(&self) -> Box<dyn MethodOptions>;
    /// Whether they are the same.
    fn equals(&self, other: &dyn MethodOptions) -> bool;
    /// All that are not left out, by their keys.
    fn to_json(&self) -> Value;
    /// For the method's own file, which knows the type.
    fn as_any(&self) -> &dyn Any;
    /// The same, to be changed.
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

impl<T: Any + Debug + Send + Sync + Clone + PartialEq + Serialize> MethodOptions for T {
    fn boxed(&self) -> Box<dyn MethodOptions> {
        Box::new(self.clone())
    }

    fn equals(&self, other: &dyn MethodOptions) -> bool {
        other.as_any().downcast_ref::<Self>() == Some(self)
    }

    fn to_json(&self) -> Value {
        serde_json::to_value(self).expect("plain options are always JSON")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

/// One option: its key, what it accepts, and what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionDoc {
    /// The key within its table.
    pub key: &'static str,
    /// The values it accepts, in words.
    pub range: &'static str,
    /// What it does, with line breaks as in the source.
    pub doc: &'static str,
}

/// A named table of options, `[method.NAME]` in a configuration file. Methods may share one.
#[derive(Debug)]
pub struct OptionTable {
    /// Its name.
    pub name: &'static str,
    /// Its keys, in the order of the file.
    pub keys: &'static [OptionDoc],
    default: fn() -> Box<dyn MethodOptions>,
    read: Read,
}

type Read = fn(
    &mut dyn erased_serde::Deserializer<'_>,
) -> std::result::Result<Box<dyn MethodOptions>, erased_serde::Error>;

impl OptionTable {
    /// The table of the options `T`.
    pub const fn of<T>(name: &'static str, keys: &'static [OptionDoc]) -> Self
    where
        T: MethodOptions + Default + DeserializeOwned,
    {
        Self {
            name,
            keys,
            default: || Box::new(T::default()),
            read: |from| Ok(Box::new(erased_serde::deserialize::<T>(from)?)),
        }
    }

    /// The built-in values.
    pub fn default(&self) -> Box<dyn MethodOptions> {
        (self.default)()
    }

    /// Reads options; what is left out keeps its built-in value.
    ///
    /// # Errors
    /// An unknown key or a value of the wrong type, as the format says it.
    pub fn read<'de, D: serde::Deserializer<'de>>(
        &self,
        from: D,
    ) -> std::result::Result<Box<dyn MethodOptions>, D::Error> {
        let mut from = <dyn erased_serde::Deserializer<'_>>::erase(from);
        // The first line is the message; a format adds where it stands, which the caller says.
        let message = |error: erased_serde::Error| {
            let text = error.to_string();
            serde::de::Error::custom(text.lines().next().unwrap_or_default())
        };
        (self.read)(&mut from).map_err(message)
    }
}

/// Declares the options of a method: the struct, its built-in values, and the table that documents
/// them, from one list. Each option is its documentation, `key: type = built-in value`, and the
/// range in words; one that may be left out has the type `Option` and says so to serde.
#[macro_export]
macro_rules! options {
    (
        $(#[doc = $about:literal])+
        pub struct $name:ident = $table:literal {
            $(
                $(#[doc = $doc:literal])+
                $(#[serde($($serde:tt)+)])?
                $key:ident: $type:ty = $default:expr, $range:literal;
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $(
                $(#[doc = $doc])+
                $(#[serde($($serde)+)])?
                pub $key: $type,
            )+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($key: $default,)+ }
            }
        }

        impl $name {
            /// The table of these options.
            pub const TABLE: $crate::OptionTable = $crate::OptionTable::of::<Self>(
                $table,
                &[$($crate::OptionDoc {
                    key: stringify!($key),
                    range: $range,
                    doc: concat!($($doc, "\n"),+),
                }),+],
            );
        }
    };
}
