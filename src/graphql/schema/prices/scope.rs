//! Currencies of lists that are filtered or sorted by an amount of money.
//! Rule: amounts are compared within one currency only. It is the one of the filter, or that of all websites that the
//! list may have items of; otherwise the request is rejected.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use async_graphql::Context;
use rust_decimal::Decimal;

use crate::{
    cache::Tag,
    db::filter::Op,
    error::{Error, Result, UserErrorCode},
    graphql::{
        engine::filters::{FilterBuilder, PriceFilter},
        schema::{
            context::ContextExt,
            loaders::{Load, TagsOf},
            resource::LoaderContext,
            websites::WebsiteFilter,
        },
    },
    ids::WebsiteId,
    money::Currency,
    websites::{
        self,
        model::{WebsiteCurrency, WebsiteOp},
    },
};

/// The amounts of a list, for error messages.
#[derive(Debug)]
pub struct Amounts {
    /// Path of the currency in the arguments.
    argument: &'static str,
    /// What has several currencies.
    owners: &'static str,
    /// What the list is sorted by.
    order: &'static str,
}

/// Prices of products.
pub const PRICES: Amounts =
    Amounts { argument: "where.price.currency", owners: "products have prices", order: "price" };

/// Total amounts of orders.
pub const TOTAL_AMOUNTS: Amounts =
    Amounts { argument: "where.totalAmount.currency", owners: "orders have amounts", order: "total amount" };

/// A `where` input with a filter by amount and one by website.
pub trait AmountWhere: Sized {
    /// Returns the filter by amount.
    fn amount(&self) -> Option<&PriceFilter>;

    /// Returns the filter by website.
    fn website(&self) -> Option<&WebsiteFilter>;

    /// Returns the nested filters that must match, too.
    fn all_of(&self) -> &[Self];

    /// Returns all nested filters.
    fn nested(&self) -> impl Iterator<Item = &Self>;

    /// Returns whether this filter or a nested one fulfills the predicate.
    fn any(&self, predicate: &impl Fn(&Self) -> bool) -> bool {
        predicate(self) || self.nested().any(|nested| nested.any(predicate))
    }

    /// Returns the currency that the filter limits the list to.
    fn currency(&self) -> Option<Currency> {
        let own = self.amount().and_then(|amount| amount.currency).map(|code| code.0);
        own.or_else(|| self.all_of().iter().find_map(Self::currency))
    }

    /// Returns the filters by website that each item of the list matches.
    fn websites(&self) -> Vec<&WebsiteFilter> {
        self.website().into_iter().chain(self.all_of().iter().flat_map(Self::websites)).collect()
    }
}

/// Implements [`AmountWhere`] for an input that `where_input!` declares.
macro_rules! amount_where {
    ($filter:ident by $amount:ident) => {
        impl $crate::graphql::schema::prices::AmountWhere for $filter {
            fn amount(&self) -> Option<&$crate::graphql::engine::filters::PriceFilter> {
                self.$amount.as_ref().filter(|amount| !amount.is_empty())
            }

            fn website(&self) -> Option<&$crate::graphql::schema::websites::WebsiteFilter> {
                self.source_website.as_ref()
            }

            fn all_of(&self) -> &[Self] {
                self.and.as_deref().unwrap_or_default()
            }

            fn nested(&self) -> impl Iterator<Item = &Self> {
                self.and.iter().chain(&self.or).flatten().chain(self.not.as_deref())
            }
        }
    };
}
pub(crate) use amount_where;

/// Loader of the currencies of all websites with products, under a single key.
pub struct WebsiteCurrencies;

impl Load for WebsiteCurrencies {
    type Key = ();
    type Value = Arc<[Arc<WebsiteCurrency>]>;

    const TAGS: Option<TagsOf<(), Self::Value>> = Some(|(), _| vec![Tag::list("list:productWebsites")]);

    async fn load(context: Arc<LoaderContext>, _: Vec<()>) -> Result<HashMap<(), Self::Value>> {
        let websites = context.db.read(websites::store::currencies).await?;
        Ok(HashMap::from([((), websites.into_iter().map(Arc::new).collect())]))
    }
}

/// The websites that a list may have items of, with their currencies: those with products. Empty for a list whose amounts
/// are not compared.
#[derive(Debug, Clone, Default)]
pub struct PriceScope(Vec<Arc<WebsiteCurrency>>);

impl PriceScope {
    /// Returns the scope of a list of one website, of websites with these IDs, or of all. It takes a statement unless the
    /// websites are given by ID and cached, as they are once a product or order of theirs was shown.
    /// # Errors
    /// Database errors.
    pub async fn new(ctx: &Context<'_>, website_ids: Option<&[WebsiteId]>) -> Result<Self> {
        let cached = |id: &WebsiteId| {
            let currency = ctx.cached_currency(*id)?;
            Some(Arc::new(WebsiteCurrency { id: *id, code: None, currency }))
        };
        if let Some(websites) = website_ids.and_then(|ids| ids.iter().map(cached).collect()) {
            return Ok(Self(websites));
        }
        let all = ctx.loaders().load::<WebsiteCurrencies>(()).await?.unwrap_or_else(|| Arc::from([]));
        let is_wanted = |website: &&Arc<WebsiteCurrency>| website_ids.is_none_or(|ids| ids.contains(&website.id));
        Ok(Self(all.iter().filter(is_wanted).cloned().collect()))
    }

    /// Returns the scope of a list with this filter, of one website or of all.
    /// # Errors
    /// Database errors.
    pub async fn of_list(ctx: &Context<'_>, filter: &impl AmountWhere, website: Option<WebsiteId>) -> Result<Self> {
        if let Some(id) = website {
            let currency = ctx.currency(id).await?;
            return Ok(Self(vec![Arc::new(WebsiteCurrency { id, code: None, currency })]));
        }
        Self::new(ctx, filter.website().and_then(WebsiteFilter::named_ids).as_deref()).await
    }

    /// Returns the websites that match a filter.
    #[must_use]
    pub fn narrowed(&self, filter: &impl AmountWhere) -> Self {
        let mut websites = self.0.clone();
        for matches in filter.websites().into_iter().map(WebsiteFilter::matcher) {
            websites.retain(|website| matches(website.id, website.code.as_deref()));
        }
        Self(websites)
    }

    /// Checks that a list with this filter can be sorted by amount.
    /// # Errors
    /// A user error if it may have several currencies.
    pub fn check_order(&self, amounts: &Amounts, filter: &impl AmountWhere) -> Result<()> {
        self.narrowed(filter).check_order_in(amounts, filter.currency())
    }

    /// Checks that a list can be sorted by amount if it is limited to a currency.
    /// # Errors
    /// A user error if it may have several currencies.
    pub fn check_order_in(&self, amounts: &Amounts, currency: Option<Currency>) -> Result<()> {
        match currency {
            Some(_) => Ok(()),
            None => self.check_single(amounts, &format!("to sort by {} because", amounts.order)),
        }
    }

    /// Adds the conditions of a filter by amount to those of a list.
    /// # Errors
    /// A user error if the currency is neither given nor determined by the websites.
    pub fn add<C>(
        &self,
        amounts: &Amounts,
        filter: Option<PriceFilter>,
        list: &mut FilterBuilder<C>,
        amount: impl Fn(Op<Decimal>) -> C,
        website: impl Fn(WebsiteOp) -> C,
    ) -> Result<()> {
        let Some(filter) = filter.filter(|filter| !filter.is_empty()) else { return Ok(()) };
        let websites = self.websites_in(amounts, filter.currency.map(|code| code.0))?;
        list.condition(websites.map(|ids| website(WebsiteOp::Id(Op::In(ids)))));
        list.amount(Some(filter), amount);
        Ok(())
    }

    /// Returns the websites whose amounts a filter compares; none for all websites of the list.
    /// # Errors
    /// A user error if the currency is neither given nor determined by the websites.
    pub fn websites_in(&self, amounts: &Amounts, currency: Option<Currency>) -> Result<Option<Vec<WebsiteId>>> {
        let Some(currency) = currency else {
            self.check_single(amounts, "because")?;
            return Ok(None);
        };
        let of_currency = self.0.iter().filter(|website| website.currency == currency);
        let ids: Vec<WebsiteId> = of_currency.map(|website| website.id).collect();
        Ok((ids.len() < self.0.len()).then_some(ids))
    }

    fn check_single(&self, amounts: &Amounts, reason: &str) -> Result<()> {
        let currencies: BTreeSet<&str> = self.0.iter().map(|website| website.currency.as_str()).collect();
        if currencies.len() < 2 {
            return Ok(());
        }
        let Amounts { argument, owners, .. } = *amounts;
        let currencies = currencies.into_iter().collect::<Vec<_>>().join(", ");
        let rule = format!("currency is required {reason} the {owners} in several currencies: {currencies}");
        Err(Error::user(UserErrorCode::Required, argument, rule))
    }
}
