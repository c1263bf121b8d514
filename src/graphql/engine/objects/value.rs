//! Values of fields: scalars, objects, and lists of objects.

use async_graphql::ID;
use chrono::{DateTime, Utc};

use super::{Abstract, AbstractType, DynObject, JsonText};

/// A scalar, or a list of scalars, that needs no resolution.
pub trait Leaf: Send + Sync {
    /// Writes the value.
    fn write(&self, out: &mut JsonText);
}

macro_rules! serialized_leaf {
    ($($type:ty),*) => {
        $(impl Leaf for $type {
            fn write(&self, out: &mut JsonText) {
                out.push(self);
            }
        })*
    };
}

serialized_leaf!(bool, i32, i64, str, String);

impl Leaf for ID {
    fn write(&self, out: &mut JsonText) {
        out.push(&self.0);
    }
}

impl Leaf for DateTime<Utc> {
    fn write(&self, out: &mut JsonText) {
        out.push(&self.to_rfc3339());
    }
}

impl<T: Leaf + ?Sized> Leaf for &T {
    fn write(&self, out: &mut JsonText) {
        (**self).write(out);
    }
}

impl<T: Leaf> Leaf for Option<T> {
    fn write(&self, out: &mut JsonText) {
        match self {
            Some(value) => value.write(out),
            None => out.push_raw("null"),
        }
    }
}

impl<T: Leaf> Leaf for [T] {
    fn write(&self, out: &mut JsonText) {
        out.push_raw("[");
        for (index, item) in self.iter().enumerate() {
            out.push_raw(if index == 0 { "" } else { "," });
            item.write(out);
        }
        out.push_raw("]");
    }
}

impl<T: Leaf> Leaf for Vec<T> {
    fn write(&self, out: &mut JsonText) {
        self.as_slice().write(out);
    }
}

/// An object or, if the type is nullable, an optional object; implemented by `#[object]`.
pub trait ObjectValue: Send + Sync {
    /// Whether an object that cannot be resolved becomes null.
    const IS_NULLABLE: bool = false;

    /// Returns the object.
    fn as_object(&self) -> Option<&dyn DynObject>;
}

impl<T: AbstractType + Send + Sync> ObjectValue for Abstract<T> {
    fn as_object(&self) -> Option<&dyn DynObject> {
        Some(self.0.concrete_object())
    }
}

impl<T: ObjectValue> ObjectValue for &T {
    const IS_NULLABLE: bool = T::IS_NULLABLE;

    fn as_object(&self) -> Option<&dyn DynObject> {
        (**self).as_object()
    }
}

impl<T: ObjectValue> ObjectValue for Option<T> {
    const IS_NULLABLE: bool = true;

    fn as_object(&self) -> Option<&dyn DynObject> {
        self.as_ref()?.as_object()
    }
}

/// A list of objects or, if the type is nullable, an optional list.
pub trait ListValue: Send + Sync {
    /// Whether a list that cannot be resolved becomes null.
    const IS_NULLABLE: bool = false;

    /// Whether an item that cannot be resolved becomes null.
    const HAS_NULLABLE_ITEMS: bool;

    /// Returns the items.
    fn items(&self) -> Option<Vec<Option<&dyn DynObject>>>;
}

impl<T: ObjectValue> ListValue for Vec<T> {
    const HAS_NULLABLE_ITEMS: bool = T::IS_NULLABLE;

    fn items(&self) -> Option<Vec<Option<&dyn DynObject>>> {
        Some(self.iter().map(ObjectValue::as_object).collect())
    }
}

impl<T: ListValue> ListValue for &T {
    const IS_NULLABLE: bool = T::IS_NULLABLE;
    const HAS_NULLABLE_ITEMS: bool = T::HAS_NULLABLE_ITEMS;

    fn items(&self) -> Option<Vec<Option<&dyn DynObject>>> {
        (**self).items()
    }
}

impl<T: ListValue> ListValue for Option<T> {
    const IS_NULLABLE: bool = true;
    const HAS_NULLABLE_ITEMS: bool = T::HAS_NULLABLE_ITEMS;

    fn items(&self) -> Option<Vec<Option<&dyn DynObject>>> {
        self.as_ref()?.items()
    }
}
