//! The stock of a product in the files of other shop systems: its quantity, whether it is tracked, and backorders.
//! Rule: a column that the file does not have changes nothing.

use super::{
    amounts::AmountParser,
    cells,
    csv_reader::{Column, Header, Line},
};
use crate::{
    products::model::{Backorders, InventoryPolicy},
    transfers::record::Rejection,
};

/// The stock of a product; none for what the file does not say.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    pub(super) policy: Option<InventoryPolicy>,
    pub(super) backorders: Option<Backorders>,
    /// Number of units; it can be negative.
    pub(super) stock: Option<i32>,
}

/// The columns of Shopify. Its tracker is empty for a variant that is not tracked.
pub(super) struct ShopifyInventory {
    tracker: Column,
    policy: Column,
    quantity: Column,
}

impl ShopifyInventory {
    pub(super) fn find(header: &Header) -> Self {
        Self {
            tracker: header.find(&["variant inventory tracker", "inventory tracker"]),
            policy: header.find(&["variant inventory policy", "continue selling when out of stock"]),
            quantity: header.find(&["variant inventory qty", "inventory quantity"]),
        }
    }

    pub(super) fn quantity(&self) -> &Column {
        &self.quantity
    }

    pub(super) fn read(&self, line: &Line, amounts: &AmountParser) -> Result<Inventory, Rejection> {
        let policy = self.tracker.is_present().then(|| {
            if line.cell(&self.tracker).is_empty() { InventoryPolicy::NotTracked } else { InventoryPolicy::Tracked }
        });
        let backorders = match line.cell(&self.policy).to_ascii_lowercase().as_str() {
            "" => None,
            "deny" | "false" => Some(Backorders::Deny),
            "continue" | "true" => Some(Backorders::Allow),
            other => return Err(self.policy.rejection(format!("{other:?} is neither deny nor continue"))),
        };
        // The quantity of a variant that is not tracked is meaningless.
        let stock = match policy {
            Some(InventoryPolicy::NotTracked) => None,
            _ => cells::stock(line, &self.quantity, amounts)?,
        };
        Ok(Inventory { policy, backorders, stock })
    }
}

/// The columns of WooCommerce. Its stock is empty for a product that is not tracked, whose availability is set by hand.
pub(super) struct WooCommerceInventory {
    stock: Column,
    in_stock: Column,
    backorders: Column,
}

impl WooCommerceInventory {
    pub(super) fn find(header: &Header) -> Self {
        Self {
            stock: header.find(&["stock"]),
            in_stock: header.find(&["in stock?"]),
            backorders: header.find(&["backorders allowed?"]),
        }
    }

    /// Returns whether the stock is that of all variations together, which cannot be assigned to one of them.
    pub(super) fn is_shared(&self, line: &Line) -> bool {
        line.cell(&self.stock).eq_ignore_ascii_case("parent")
    }

    pub(super) fn read(&self, line: &Line, amounts: &AmountParser) -> Result<Inventory, Rejection> {
        let backorders = match line.cell(&self.backorders).to_ascii_lowercase().as_str() {
            "" => None,
            "0" | "no" | "false" => Some(Backorders::Deny),
            "1" | "yes" | "true" | "notify" => Some(Backorders::Allow),
            other => return Err(self.backorders.rejection(format!("{other:?} is not one of 0, 1 and notify"))),
        };
        if !self.stock.is_present() || self.is_shared(line) {
            return Ok(Inventory { backorders, ..Inventory::default() });
        }
        if let Some(stock) = cells::stock(line, &self.stock, amounts)? {
            return Ok(Inventory { policy: Some(InventoryPolicy::Tracked), backorders, stock: Some(stock) });
        }
        // An availability that is set by hand has no quantity: out of stock and on backorder are a stock of 0.
        Ok(match line.cell(&self.in_stock).to_ascii_lowercase().as_str() {
            "0" | "no" | "false" => Inventory { policy: Some(InventoryPolicy::Tracked), backorders, stock: Some(0) },
            "backorder" | "onbackorder" => Inventory {
                policy: Some(InventoryPolicy::Tracked),
                backorders: Some(Backorders::Allow),
                stock: Some(0),
            },
            _ => Inventory { policy: Some(InventoryPolicy::NotTracked), backorders, stock: None },
        })
    }
}

/// The columns of Magento. A setting of the shop applies where `use_config_…` is 1; its default is to track the stock
/// and to deny backorders.
pub(super) struct MagentoInventory {
    quantity: Column,
    manage_stock: Column,
    default_manage_stock: Column,
    backorders: Column,
    default_backorders: Column,
}

impl MagentoInventory {
    pub(super) fn find(header: &Header) -> Self {
        Self {
            quantity: header.find(&["qty"]),
            manage_stock: header.find(&["manage_stock"]),
            default_manage_stock: header.find(&["use_config_manage_stock"]),
            backorders: header.find(&["allow_backorders"]),
            default_backorders: header.find(&["use_config_backorders"]),
        }
    }

    pub(super) fn read(&self, line: &Line, amounts: &AmountParser) -> Result<Inventory, Rejection> {
        let policy = match (line.cell(&self.manage_stock), line.cell(&self.default_manage_stock)) {
            ("", "") => None,
            ("0", "0" | "") => Some(InventoryPolicy::NotTracked),
            _ => Some(InventoryPolicy::Tracked),
        };
        let backorders = match (line.cell(&self.backorders), line.cell(&self.default_backorders)) {
            ("", "") => None,
            // 2 informs the customer.
            ("1" | "2", "0" | "") => Some(Backorders::Allow),
            ("" | "0" | "1" | "2", _) => Some(Backorders::Deny),
            (other, _) => return Err(self.backorders.rejection(format!("{other:?} is not one of 0, 1 and 2"))),
        };
        let stock = match policy {
            Some(InventoryPolicy::NotTracked) => None,
            _ => cells::stock(line, &self.quantity, amounts)?,
        };
        Ok(Inventory { policy, backorders, stock })
    }
}
