// @generated from the migrated database; `UPDATE_TABLES=1 cargo test tables_rs` writes it anew.

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    account_tokens (id) {
        id -> Int8,
        user_id -> Int8,
        purpose -> Text,
        hash -> Bytea,
        email -> Citext,
        expires_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    address_notices (user_id) {
        user_id -> Int8,
        told_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    addresses (id) {
        id -> Int8,
        user_id -> Int8,
        country -> Text,
        city -> Text,
        district -> Nullable<Text>,
        address -> Text,
        postal_code -> Nullable<Text>,
        is_default -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        recipient_name -> Nullable<Text>,
        company -> Nullable<Text>,
        phone -> Nullable<Text>,
        subdivision -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    api_key_permissions (api_key_id, permission) {
        api_key_id -> Int8,
        permission -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    api_key_websites (api_key_id, website_id) {
        api_key_id -> Int8,
        website_id -> Int8,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    api_keys (id) {
        id -> Int8,
        user_id -> Int8,
        name -> Text,
        prefix -> Text,
        hash -> Bytea,
        expires_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    audit_log (id) {
        id -> Int8,
        at -> Timestamptz,
        user_id -> Nullable<Int8>,
        via -> Text,
        session_id -> Nullable<Int8>,
        api_key_id -> Nullable<Int8>,
        address -> Nullable<Text>,
        request_id -> Nullable<Text>,
        resource_type -> Text,
        resource_id -> Int8,
        website_id -> Nullable<Int8>,
        change -> Text,
        before -> Nullable<Jsonb>,
        after -> Nullable<Jsonb>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    brands (id) {
        id -> Int8,
        name -> Text,
        slug -> Text,
        description -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    cart_lines (id) {
        id -> Int8,
        cart_id -> Int8,
        product_id -> Int8,
        quantity -> Int4,
        added_price -> Numeric,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    cart_reservations (cart_id, product_id) {
        cart_id -> Int8,
        product_id -> Int8,
        quantity -> Int4,
        expires_at -> Timestamptz,
        created_at -> Timestamptz,
        network -> Nullable<Bytea>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    carts (id) {
        id -> Int8,
        user_id -> Nullable<Int8>,
        token_hash -> Nullable<Bytea>,
        currency -> Text,
        expires_at -> Timestamptz,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    categories (id) {
        id -> Int8,
        parent_id -> Nullable<Int8>,
        name -> Text,
        slug -> Text,
        description -> Text,
        position -> Int4,
        path -> Array<Int8>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    changes (id) {
        id -> Int8,
        transaction_id -> Int8,
        tags -> Array<Text>,
        is_old -> Bool,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    deferred_confirmations (order_id) {
        order_id -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    events (transaction_id, id) {
        id -> Int8,
        transaction_id -> Int8,
        kind -> Text,
        subject -> Int8,
        website -> Nullable<Int8>,
        is_public -> Bool,
        from_state -> Nullable<Text>,
        to_state -> Nullable<Text>,
        owner -> Nullable<Int8>,
        token_hash -> Nullable<Bytea>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    idempotency_keys (id) {
        user_id -> Nullable<Int8>,
        operation -> Text,
        key -> Text,
        request_hash -> Bytea,
        answer_id -> Int8,
        created_at -> Timestamptz,
        id -> Int8,
        cart_token_hash -> Nullable<Bytea>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    images (id) {
        id -> Int8,
        product_id -> Nullable<Int8>,
        media_id -> Nullable<Int8>,
        position -> Int4,
        alt -> Text,
        source_url -> Nullable<Text>,
        failure -> Nullable<Text>,
        attempts -> Int4,
        try_at -> Timestamptz,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        brand_id -> Nullable<Int8>,
        category_id -> Nullable<Int8>,
        fetched_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    jobs (id) {
        id -> Int8,
        kind -> Text,
        payload -> Jsonb,
        user_id -> Nullable<Int8>,
        state -> Text,
        attempts -> Int4,
        run_at -> Timestamptz,
        locked_until -> Nullable<Timestamptz>,
        last_error -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        is_recurring -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    login_throttles (key) {
        key -> Text,
        attempts -> Int4,
        blocked_until -> Nullable<Timestamptz>,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    media (id) {
        id -> Int8,
        sha256 -> Text,
        format -> Text,
        width -> Int4,
        height -> Int4,
        bytes -> Int8,
        blurhash -> Text,
        widths -> Array<Int4>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    order_details (id) {
        id -> Int8,
        order_id -> Int8,
        product_id -> Int8,
        name -> Text,
        sku -> Text,
        quantity -> Int4,
        unit_price -> Numeric,
        external_key -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        shipped_quantity -> Int4,
        returned_quantity -> Int4,
        total_price -> Numeric,
        seller_id -> Nullable<Int8>,
        confirmed_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    order_email_confirmations (order_id) {
        order_id -> Int8,
        token_hash -> Nullable<Bytea>,
        expires_at -> Timestamptz,
        confirmed_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        user_id -> Nullable<Int8>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    order_events (id) {
        id -> Int8,
        order_id -> Int8,
        at -> Timestamptz,
        user_id -> Nullable<Int8>,
        kind -> Text,
        from_status -> Nullable<Text>,
        to_status -> Nullable<Text>,
        quantity -> Nullable<Int4>,
        amount -> Nullable<Numeric>,
        message -> Nullable<Text>,
        is_internal -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    orders (id) {
        id -> Int8,
        source_website_id -> Int8,
        order_number -> Text,
        user_id -> Nullable<Int8>,
        status -> Text,
        total_amount -> Numeric,
        ship_country -> Nullable<Text>,
        ship_city -> Nullable<Text>,
        ship_district -> Nullable<Text>,
        ship_address -> Nullable<Text>,
        ship_postal_code -> Nullable<Text>,
        placed_at -> Timestamptz,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        checkout_id -> Nullable<Int8>,
        cart_token_hash -> Nullable<Bytea>,
        contact_name -> Nullable<Text>,
        contact_email -> Nullable<Citext>,
        contact_phone -> Nullable<Text>,
        customer_note -> Nullable<Text>,
        payment_status -> Text,
        paid_amount -> Numeric,
        refunded_amount -> Numeric,
        ship_recipient_name -> Nullable<Text>,
        ship_company -> Nullable<Text>,
        ship_phone -> Nullable<Text>,
        ship_subdivision -> Nullable<Text>,
        billing_address -> Nullable<Jsonb>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    payment_operations (id) {
        id -> Int8,
        payment_id -> Int8,
        kind -> Text,
        amount -> Numeric,
        status -> Text,
        key -> Uuid,
        provider_reference -> Nullable<Text>,
        failure -> Nullable<Text>,
        user_id -> Nullable<Int8>,
        reason -> Nullable<Text>,
        job_id -> Nullable<Int8>,
        settled_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    payment_webhooks (id) {
        id -> Int8,
        provider -> Text,
        event_id -> Text,
        received_at -> Timestamptz,
        payload -> Jsonb,
        outcome -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    payments (id) {
        id -> Int8,
        order_id -> Int8,
        provider -> Text,
        method -> Text,
        status -> Text,
        amount -> Numeric,
        currency -> Text,
        captured_amount -> Numeric,
        refunded_amount -> Numeric,
        provider_reference -> Nullable<Text>,
        failure -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    permissions (code) {
        code -> Text,
        description -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    price_changes (id) {
        id -> Int8,
        product_id -> Int8,
        user_id -> Nullable<Int8>,
        price -> Numeric,
        compare_at_price -> Nullable<Numeric>,
        prior_price -> Nullable<Numeric>,
        at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    product_groups (id) {
        id -> Int8,
        source_website_id -> Int8,
        name -> Text,
        slug -> Text,
        description -> Text,
        varies_by -> Array<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    products (id) {
        id -> Int8,
        source_website_id -> Int8,
        category_id -> Nullable<Int8>,
        brand_id -> Nullable<Int8>,
        supplier_id -> Nullable<Int8>,
        seller_id -> Nullable<Int8>,
        name -> Text,
        slug -> Text,
        sku -> Text,
        barcode -> Nullable<Text>,
        variant -> Nullable<Text>,
        description -> Text,
        price -> Numeric,
        stock -> Int4,
        is_active -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        reserved -> Int4,
        group_id -> Nullable<Int8>,
        option_values -> Array<Text>,
        compare_at_price -> Nullable<Numeric>,
        cost_price -> Nullable<Numeric>,
        supplier_sku -> Nullable<Text>,
        linked_id -> Nullable<Int8>,
        gtin -> Nullable<Text>,
        low_stock_threshold -> Int4,
        rating_count -> Int4,
        rating_average -> Numeric,
        tags -> Array<Text>,
        weight -> Nullable<Numeric>,
        weight_unit -> Nullable<Text>,
        seo_title -> Nullable<Text>,
        seo_description -> Nullable<Text>,
        inventory_policy -> Text,
        backorders -> Text,
        availability -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    refresh_tokens (id) {
        id -> Int8,
        session_id -> Int8,
        parent_id -> Nullable<Int8>,
        hash -> Bytea,
        used_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    return_lines (return_id, order_detail_id) {
        return_id -> Int8,
        order_detail_id -> Int8,
        quantity -> Int4,
        reason -> Nullable<Text>,
        is_restocked -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    returns (id) {
        id -> Int8,
        order_id -> Int8,
        status -> Text,
        note -> Nullable<Text>,
        rejection -> Nullable<Text>,
        settled_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    reviews (id) {
        id -> Int8,
        product_id -> Int8,
        user_id -> Int8,
        rating -> Int4,
        title -> Nullable<Text>,
        text -> Text,
        status -> Text,
        is_verified_purchase -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    role_permissions (role_id, permission) {
        role_id -> Int8,
        permission -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    role_websites (role_id, website_id) {
        role_id -> Int8,
        website_id -> Int8,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    roles (id) {
        id -> Int8,
        code -> Text,
        name -> Text,
        description -> Text,
        is_builtin -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    search_clicks (search_id, product_id) {
        search_id -> Int8,
        product_id -> Int8,
        position -> Int4,
        clicked_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    search_documents (id) {
        id -> Int8,
        node_id -> Int8,
        popularity -> Float4,
        sales_tier -> Int2,
        is_public -> Bool,
        kind -> Text,
        facets -> Nullable<Bytea>,
        terms -> Text,
        price -> Nullable<Numeric>,
        rating -> Nullable<Numeric>,
        availability -> Nullable<Text>,
        is_on_sale -> Nullable<Bool>,
        created_at -> Nullable<Timestamptz>,
        website_id -> Nullable<Int8>,
        category_id -> Nullable<Int8>,
        brand_id -> Nullable<Int8>,
        language -> Text,
        name -> Text,
        sku -> Nullable<Text>,
        barcode -> Nullable<Text>,
        keys -> Array<Text>,
        document -> Tsvector,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    search_popular (id) {
        id -> Int8,
        website_id -> Nullable<Int8>,
        query -> Text,
        people -> Int4,
        searches -> Int4,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    search_rules (id) {
        id -> Int8,
        website_id -> Int8,
        words -> Array<Text>,
        keys -> Array<Text>,
        category_id -> Nullable<Int8>,
        brand_id -> Nullable<Int8>,
        product_id -> Nullable<Int8>,
        url -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        blocks_suggestions -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    search_websites (website_id) {
        website_id -> Int8,
        language -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    search_words (word) {
        word -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    searches (id) {
        id -> Int8,
        website_id -> Nullable<Int8>,
        user_id -> Nullable<Int8>,
        visitor -> Nullable<Bytea>,
        query -> Text,
        corrected -> Nullable<Text>,
        filters -> Jsonb,
        results -> Int4,
        results_exact -> Bool,
        is_shareable -> Bool,
        took_ms -> Float4,
        searched_at -> Timestamptz,
        network -> Nullable<Bytea>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    sessions (id) {
        id -> Int8,
        user_id -> Int8,
        device -> Nullable<Text>,
        address -> Nullable<Text>,
        last_used_at -> Timestamptz,
        expires_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    shipment_lines (shipment_id, order_detail_id) {
        shipment_id -> Int8,
        order_detail_id -> Int8,
        quantity -> Int4,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    shipments (id) {
        id -> Int8,
        order_id -> Int8,
        carrier -> Nullable<Text>,
        tracking_number -> Nullable<Text>,
        tracking_url -> Nullable<Text>,
        shipped_at -> Timestamptz,
        delivered_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    sources (resource_type, resource_id, website_id) {
        resource_type -> Text,
        resource_id -> Int8,
        website_id -> Int8,
        external_id -> Nullable<Text>,
        first_seen -> Timestamptz,
        last_seen -> Timestamptz,
        last_transfer_id -> Nullable<Int8>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    stock_movements (id) {
        id -> Int8,
        product_id -> Int8,
        order_id -> Nullable<Int8>,
        user_id -> Nullable<Int8>,
        reason -> Text,
        delta -> Int4,
        balance -> Int4,
        note -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    suppliers (id) {
        id -> Int8,
        name -> Text,
        email -> Nullable<Text>,
        phone -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        contact_name -> Nullable<Text>,
        lead_time_days -> Nullable<Int4>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    transfers (id) {
        id -> Int8,
        direction -> Text,
        resource -> Text,
        format -> Text,
        website_id -> Nullable<Int8>,
        user_id -> Nullable<Int8>,
        is_dry_run -> Bool,
        options -> Jsonb,
        status -> Text,
        input_hash -> Nullable<Bytea>,
        checkpoint -> Int8,
        input_key -> Nullable<Text>,
        output_key -> Nullable<Text>,
        rejects_key -> Nullable<Text>,
        total -> Nullable<Int8>,
        processed -> Int8,
        created -> Int8,
        updated -> Int8,
        unchanged -> Int8,
        rejected -> Int8,
        errors -> Jsonb,
        failure -> Nullable<Text>,
        started_at -> Nullable<Timestamptz>,
        finished_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        locked_until -> Nullable<Timestamptz>,
        run -> Int4,
        rejections -> Jsonb,
        missing -> Nullable<Int8>,
        ignored_columns -> Jsonb,
        notes -> Jsonb,
        customer_websites -> Nullable<Array<Int8>>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    trusted_documents (id) {
        id -> Text,
        document -> Text,
        name -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    unpaid_orders (order_id) {
        order_id -> Int8,
        user_id -> Nullable<Int8>,
        network -> Nullable<Bytea>,
        expires_at -> Nullable<Timestamptz>,
        ended_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    users (id) {
        id -> Int8,
        name -> Text,
        phone -> Nullable<Text>,
        email -> Nullable<Citext>,
        password_hash -> Nullable<Text>,
        role_id -> Int8,
        source_website_id -> Nullable<Int8>,
        is_active -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        email_verified_at -> Nullable<Timestamptz>,
        role_changed_at -> Nullable<Timestamptz>,
        erased_at -> Nullable<Timestamptz>,
        imported_email -> Nullable<Citext>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    webhook_deliveries (id) {
        id -> Int8,
        subscription_id -> Int8,
        event_id -> Nullable<Int8>,
        event -> Text,
        entity -> Text,
        subject -> Int8,
        website_id -> Nullable<Int8>,
        is_public -> Bool,
        from_state -> Nullable<Text>,
        to_state -> Nullable<Text>,
        event_at -> Timestamptz,
        status -> Text,
        attempts -> Int4,
        attempt_at -> Timestamptz,
        retry_since -> Timestamptz,
        locked_until -> Nullable<Timestamptz>,
        last_attempt_at -> Nullable<Timestamptz>,
        duration_ms -> Nullable<Int4>,
        response_status -> Nullable<Int4>,
        response_excerpt -> Nullable<Text>,
        failure -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    webhook_subscriptions (id) {
        id -> Int8,
        user_id -> Int8,
        api_key_id -> Nullable<Int8>,
        url -> Text,
        events -> Array<Text>,
        website_id -> Nullable<Int8>,
        query -> Nullable<Text>,
        version -> Int4,
        secret -> Text,
        previous_secret -> Nullable<Text>,
        previous_secret_until -> Nullable<Timestamptz>,
        status -> Text,
        disabled_reason -> Nullable<Text>,
        failures -> Int4,
        failing_since -> Nullable<Timestamptz>,
        retry_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    websites (id) {
        id -> Int8,
        code -> Text,
        name -> Text,
        base_url -> Text,
        currency -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        language -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    wishlist_items (id) {
        id -> Int8,
        wishlist_id -> Int8,
        product_id -> Int8,
        quantity -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::sql::*;

    wishlists (id) {
        id -> Int8,
        user_id -> Int8,
        name -> Text,
        share_hash -> Nullable<Bytea>,
        shared_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::joinable!(account_tokens -> users (user_id));
diesel::joinable!(address_notices -> users (user_id));
diesel::joinable!(addresses -> users (user_id));
diesel::joinable!(api_key_permissions -> api_keys (api_key_id));
diesel::joinable!(api_key_permissions -> permissions (permission));
diesel::joinable!(api_key_websites -> api_keys (api_key_id));
diesel::joinable!(api_key_websites -> websites (website_id));
diesel::joinable!(api_keys -> users (user_id));
diesel::joinable!(cart_lines -> carts (cart_id));
diesel::joinable!(cart_lines -> products (product_id));
diesel::joinable!(cart_reservations -> carts (cart_id));
diesel::joinable!(cart_reservations -> products (product_id));
diesel::joinable!(carts -> users (user_id));
diesel::joinable!(deferred_confirmations -> orders (order_id));
diesel::joinable!(idempotency_keys -> users (user_id));
diesel::joinable!(images -> brands (brand_id));
diesel::joinable!(images -> categories (category_id));
diesel::joinable!(images -> media (media_id));
diesel::joinable!(images -> products (product_id));
diesel::joinable!(jobs -> users (user_id));
diesel::joinable!(order_details -> orders (order_id));
diesel::joinable!(order_details -> products (product_id));
diesel::joinable!(order_details -> users (seller_id));
diesel::joinable!(order_email_confirmations -> orders (order_id));
diesel::joinable!(order_email_confirmations -> users (user_id));
diesel::joinable!(order_events -> orders (order_id));
diesel::joinable!(order_events -> users (user_id));
diesel::joinable!(orders -> users (user_id));
diesel::joinable!(orders -> websites (source_website_id));
diesel::joinable!(payment_operations -> payments (payment_id));
diesel::joinable!(payment_operations -> users (user_id));
diesel::joinable!(payments -> orders (order_id));
diesel::joinable!(price_changes -> products (product_id));
diesel::joinable!(price_changes -> users (user_id));
diesel::joinable!(product_groups -> websites (source_website_id));
diesel::joinable!(products -> brands (brand_id));
diesel::joinable!(products -> categories (category_id));
diesel::joinable!(products -> product_groups (group_id));
diesel::joinable!(products -> suppliers (supplier_id));
diesel::joinable!(products -> users (seller_id));
diesel::joinable!(products -> websites (source_website_id));
diesel::joinable!(refresh_tokens -> sessions (session_id));
diesel::joinable!(return_lines -> order_details (order_detail_id));
diesel::joinable!(return_lines -> returns (return_id));
diesel::joinable!(returns -> orders (order_id));
diesel::joinable!(reviews -> products (product_id));
diesel::joinable!(reviews -> users (user_id));
diesel::joinable!(role_permissions -> permissions (permission));
diesel::joinable!(role_permissions -> roles (role_id));
diesel::joinable!(role_websites -> roles (role_id));
diesel::joinable!(role_websites -> websites (website_id));
diesel::joinable!(search_clicks -> products (product_id));
diesel::joinable!(search_popular -> websites (website_id));
diesel::joinable!(search_rules -> brands (brand_id));
diesel::joinable!(search_rules -> categories (category_id));
diesel::joinable!(search_rules -> products (product_id));
diesel::joinable!(search_rules -> websites (website_id));
diesel::joinable!(search_websites -> websites (website_id));
diesel::joinable!(searches -> users (user_id));
diesel::joinable!(searches -> websites (website_id));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(shipment_lines -> order_details (order_detail_id));
diesel::joinable!(shipment_lines -> shipments (shipment_id));
diesel::joinable!(shipments -> orders (order_id));
diesel::joinable!(sources -> transfers (last_transfer_id));
diesel::joinable!(sources -> websites (website_id));
diesel::joinable!(stock_movements -> orders (order_id));
diesel::joinable!(stock_movements -> products (product_id));
diesel::joinable!(stock_movements -> users (user_id));
diesel::joinable!(transfers -> users (user_id));
diesel::joinable!(transfers -> websites (website_id));
diesel::joinable!(unpaid_orders -> orders (order_id));
diesel::joinable!(unpaid_orders -> users (user_id));
diesel::joinable!(users -> roles (role_id));
diesel::joinable!(users -> websites (source_website_id));
diesel::joinable!(webhook_subscriptions -> api_keys (api_key_id));
diesel::joinable!(webhook_subscriptions -> users (user_id));
diesel::joinable!(webhook_subscriptions -> websites (website_id));
diesel::joinable!(wishlist_items -> products (product_id));
diesel::joinable!(wishlist_items -> wishlists (wishlist_id));
diesel::joinable!(wishlists -> users (user_id));

crate::db::sql::allow_in_same_query!(
    account_tokens,
    address_notices,
    addresses,
    api_key_permissions,
    api_key_websites,
    api_keys,
    audit_log,
    brands,
    cart_lines,
    cart_reservations,
    carts,
    categories,
    changes,
    deferred_confirmations,
    events,
    idempotency_keys,
    images,
    jobs,
    login_throttles,
    media,
    order_details,
    order_email_confirmations,
    order_events,
    orders,
    payment_operations,
    payment_webhooks,
    payments,
    permissions,
    price_changes,
    product_groups,
    products,
    refresh_tokens,
    return_lines,
    returns,
    reviews,
    role_permissions,
    role_websites,
    roles,
    search_clicks,
    search_documents,
    search_popular,
    search_rules,
    search_websites,
    search_words,
    searches,
    sessions,
    shipment_lines,
    shipments,
    sources,
    stock_movements,
    suppliers,
    transfers,
    trusted_documents,
    unpaid_orders,
    users,
    webhook_deliveries,
    webhook_subscriptions,
    websites,
    wishlist_items,
    wishlists,
);
