//! The audit log entries of each mutation.

use crate::support::domain_fixtures::AuditCase as Case;

pub const CASES: &[Case] = &[
    Case(
        "categoryCreate",
        r#"{"name": "Twine", "parentId": "CATEGORY"}"#,
        &[
            r#"CREATED CATEGORY - null {"name":"Twine","slug":"twine","position":0,"parent_id":"CATEGORY","description":""}"#,
        ],
    ),
    Case(
        "categoryUpdate",
        r#"{"id": "CATEGORY", "name": "Cords", "position": 3}"#,
        &[r#"UPDATED CATEGORY - {"name":"ropes","position":0} {"name":"Cords","position":3}"#],
    ),
    Case(
        "brandCreate",
        r#"{"name": "Wick"}"#,
        &[r#"CREATED BRAND - null {"name":"Wick","slug":"wick","description":""}"#],
    ),
    Case(
        "brandUpdate",
        r#"{"id": "BRAND", "name": "Knots"}"#,
        &[r#"UPDATED BRAND - {"name":"knot"} {"name":"Knots"}"#],
    ),
    Case(
        "brandDelete",
        r#"{"id": "BRAND"}"#,
        &[r#"DELETED BRAND - {"name":"Knots","slug":"knot","description":""} null"#],
    ),
    Case(
        "supplierCreate",
        r#"{"name": "Flax Ltd", "email": "flax@souk.example"}"#,
        &[r#"CREATED SUPPLIER - null {"name":"Flax Ltd","email":"flax@souk.example"}"#],
    ),
    Case(
        "supplierUpdate",
        r#"{"id": "SUPPLIER", "phone": "+44 20 7946 0000"}"#,
        &[r#"UPDATED SUPPLIER - {"phone":null} {"phone":"+442079460000"}"#],
    ),
    Case(
        "supplierDelete",
        r#"{"id": "SUPPLIER"}"#,
        &[r#"DELETED SUPPLIER - {"name":"Hemp Ltd","phone":"+442079460000"} null"#],
    ),
    Case(
        "productCreate",
        r#"{"sourceWebsiteId": "WEBSITE", "name": "Lamp", "sku": "L", "price": "9.5"}"#,
        &[
            r#"CREATED PRODUCT sailor null {"sku":"L","name":"Lamp","slug":"lamp","tags":[],"price":"9.50","is_active":true,"backorders":"deny","description":"","availability":"out_of_stock","rating_count":0,"option_values":[],"rating_average":"0.00","inventory_policy":"tracked","source_website_id":"WEBSITE","low_stock_threshold":5}"#,
        ],
    ),
    Case(
        "productUpdate",
        r#"{"id": "ROPE", "price": "12.00", "categoryId": "CATEGORY"}"#,
        &[r#"UPDATED PRODUCT sailor {"price":"10.00","category_id":null} {"price":"12.00","category_id":"CATEGORY"}"#],
    ),
    Case(
        "productGroupCreate",
        r#"{"sourceWebsiteId": "WEBSITE", "name": "Shirt", "variesBy": ["Size", "Colour"]}"#,
        &[
            r#"CREATED PRODUCT_GROUP sailor null {"name":"Shirt","slug":"shirt","varies_by":["Size","Colour"],"description":"","source_website_id":"WEBSITE"}"#,
        ],
    ),
    Case(
        "productGroupUpdate",
        r#"{"id": "GROUP", "name": "Boat"}"#,
        &[r#"UPDATED PRODUCT_GROUP sailor {"name":"Hull"} {"name":"Boat"}"#],
    ),
    Case(
        "productGroupDelete",
        r#"{"id": "GROUP"}"#,
        &[
            r#"DELETED PRODUCT_GROUP sailor {"name":"Boat","slug":"hull","varies_by":["Size"],"description":"","source_website_id":"WEBSITE"} null"#,
        ],
    ),
    Case(
        "productLink",
        r#"{"productIds": ["ROPE", "SAIL"]}"#,
        &[
            r#"UPDATED PRODUCT sailor {"linked_id":null} {"linked_id":1}"#,
            r#"UPDATED PRODUCT sailor {"linked_id":null} {"linked_id":1}"#,
        ],
    ),
    Case(
        "productUnlink",
        r#"{"productId": "ROPE"}"#,
        &[r#"UPDATED PRODUCT sailor {"linked_id":1} {"linked_id":null}"#],
    ),
    Case(
        "reviewCreate",
        r#"{"productId": "SAIL", "rating": 5, "text": "It holds."}"#,
        &[
            r#"CREATED REVIEW sailor null {"rating":5,"status":"pending","user_id":"ADMIN","product_id":"SAIL","is_verified_purchase":true}"#,
        ],
    ),
    Case(
        "reviewApprove",
        r#"{"id": "REVIEW"}"#,
        &[r#"UPDATED REVIEW sailor {"status":"pending"} {"status":"approved"}"#],
    ),
    Case(
        "reviewUpdate",
        r#"{"id": "REVIEW", "rating": 3}"#,
        &[r#"UPDATED REVIEW sailor {"rating":4,"status":"approved"} {"rating":3,"status":"pending"}"#],
    ),
    Case(
        "reviewReject",
        r#"{"id": "REVIEW"}"#,
        &[r#"UPDATED REVIEW sailor {"status":"pending"} {"status":"rejected"}"#],
    ),
    Case(
        "reviewDelete",
        r#"{"id": "OTHER_REVIEW"}"#,
        &[
            r#"DELETED REVIEW sailor {"rating":4,"status":"pending","user_id":"CUSTOMER","product_id":"ROPE","is_verified_purchase":false} null"#,
        ],
    ),
    Case("productDelete", r#"{"id": "SAIL"}"#, &[r#"UPDATED PRODUCT sailor {"is_active":true} {"is_active":false}"#]),
    Case(
        "stockAdjust",
        r#"{"productId": "ROPE", "delta": -3, "note": "wet"}"#,
        &[
            r#"CREATED STOCK_MOVEMENT sailor null {"note":"wet","delta":-3,"reason":"adjustment","balance":5,"user_id":"ADMIN","product_id":"ROPE"}"#,
        ],
    ),
    Case(
        "stockSet",
        r#"{"productId": "ROPE", "quantity": 6, "compare": 5}"#,
        &[
            r#"CREATED STOCK_MOVEMENT sailor null {"delta":1,"reason":"adjustment","balance":6,"user_id":"ADMIN","product_id":"ROPE"}"#,
        ],
    ),
    Case(
        "orderCreate",
        r#"{"lines": [{"productId": "ROPE", "quantity": 2}], "addressId": "ADDRESS", "idempotencyKey": "k"}"#,
        &[
            r#"CREATED ORDER sailor null {"status":"pending","user_id":"ADMIN","ship_city":"Hamburg","contact_name":"A Administrator","ship_address":"Hafenstrasse 1","ship_country":"DE","total_amount":"24.00","ship_postal_code":"20359","source_website_id":"WEBSITE"}"#,
        ],
    ),
    Case(
        "checkout",
        r#"{"cartId": "CART", "addressId": "ADDRESS", "expectedTotal": "12.00", "idempotencyKey": "k"}"#,
        &[
            r#"CREATED ORDER sailor null {"status":"pending","user_id":"ADMIN","ship_city":"Hamburg","contact_name":"A Administrator","ship_address":"Hafenstrasse 1","ship_country":"DE","total_amount":"12.00","ship_postal_code":"20359","source_website_id":"WEBSITE"}"#,
        ],
    ),
    Case(
        "orderDetailAdd",
        r#"{"orderId": "ORDER", "productId": "ROPE", "quantity": 1}"#,
        &[
            r#"CREATED ORDER_DETAIL sailor null {"sku":"R","name":"Product R","order_id":"ORDER","quantity":1,"product_id":"ROPE","unit_price":"12.00","total_price":"12.00"}"#,
            r#"UPDATED ORDER sailor {"total_amount":"20.00"} {"total_amount":"32.00"}"#,
        ],
    ),
    Case(
        "orderDetailUpdate",
        r#"{"id": "LINE", "quantity": 3}"#,
        &[
            r#"UPDATED ORDER_DETAIL sailor {"quantity":2,"total_price":"20.00"} {"quantity":3,"total_price":"30.00"}"#,
            r#"UPDATED ORDER sailor {"total_amount":"32.00"} {"total_amount":"42.00"}"#,
        ],
    ),
    Case(
        "orderDetailRemove",
        r#"{"id": "LINE"}"#,
        &[
            r#"DELETED ORDER_DETAIL sailor {"sku":"R","name":"Product R","order_id":"ORDER","quantity":3,"product_id":"ROPE","unit_price":"10.00","total_price":"30.00"} null"#,
            r#"UPDATED ORDER sailor {"total_amount":"42.00"} {"total_amount":"12.00"}"#,
        ],
    ),
    Case(
        "orderStatusUpdate",
        r#"{"id": "ORDER", "status": "CONFIRMED"}"#,
        &[r#"UPDATED ORDER sailor {"status":"pending"} {"status":"confirmed"}"#],
    ),
    Case(
        "orderCancel",
        r#"{"id": "ORDER"}"#,
        &[r#"UPDATED ORDER sailor {"status":"confirmed"} {"status":"cancelled"}"#],
    ),
    Case(
        "paymentCreate",
        r#"{"orderId": "UNPAID", "provider": "TEST", "method": "CARD", "source": "4111111111111111", "idempotencyKey": "k"}"#,
        &[
            r#"CREATED PAYMENT sailor null {"amount":"10.00","method":"card","status":"pending","currency":"EUR","order_id":"UNPAID","provider":"test","captured_amount":0,"refunded_amount":0}"#,
            r#"UPDATED PAYMENT sailor {"status":"pending"} {"status":"authorized"}"#,
        ],
    ),
    Case(
        "paymentCapture",
        r#"{"id": "PAYMENT", "amount": "4", "idempotencyKey": "k"}"#,
        &[
            r#"UPDATED PAYMENT sailor {"status":"authorized","captured_amount":0} {"status":"captured","captured_amount":"4.00"}"#,
        ],
    ),
    Case(
        "paymentRefund",
        r#"{"id": "PAYMENT", "amount": "1.5", "idempotencyKey": "k"}"#,
        &[r#"UPDATED PAYMENT sailor {"refunded_amount":0} {"refunded_amount":"1.50"}"#],
    ),
    Case(
        "shipmentUpdate",
        r#"{"id": "SHIPMENT", "carrier": "Post"}"#,
        &[r#"UPDATED SHIPMENT sailor {"carrier":null} {"carrier":"Post"}"#],
    ),
    Case(
        "shipmentCreate",
        r#"{"orderId": "PARCELS", "trackingNumber": "P 1", "idempotencyKey": "k"}"#,
        &[
            r#"CREATED SHIPMENT sailor null {"order_id":"PARCELS","tracking_number":"P 1"}"#,
            r#"UPDATED ORDER sailor {"status":"confirmed"} {"status":"shipped"}"#,
        ],
    ),
    Case(
        "productImageCreate",
        r#"{"productId": "ROPE", "url": "https://pictures.example/2.jpg"}"#,
        &[
            r#"CREATED IMAGE sailor null {"alt":"","position":2,"product_id":"ROPE","source_url":"https://pictures.example/2.jpg"}"#,
        ],
    ),
    Case(
        "productImageUpdate",
        r#"{"id": "PICTURE", "alt": "A rope"}"#,
        &[r#"UPDATED IMAGE sailor {"alt":""} {"alt":"A rope"}"#],
    ),
    Case(
        "productImagesReorder",
        r#"{"productId": "SAIL", "ids": ["OTHER_PICTURE"]}"#,
        &[r#"UPDATED IMAGE sailor {"position":5} {"position":1}"#],
    ),
    Case(
        "productImageDelete",
        r#"{"id": "OTHER_PICTURE"}"#,
        &[
            r#"DELETED IMAGE sailor {"alt":"","position":1,"product_id":"SAIL","source_url":"https://pictures.example/1.jpg"} null"#,
        ],
    ),
    Case(
        "returnCreate",
        r#"{"orderId": "PARCELS", "lines": [{"orderDetailId": "PARCEL_LINE", "quantity": 1, "reason": "torn"}], "idempotencyKey": "k"}"#,
        &[r#"CREATED RETURN sailor null {"status":"requested","order_id":"PARCELS"}"#],
    ),
    Case(
        "returnReceive",
        r#"{"id": "RETURN", "lines": [{"orderDetailId": "PARCEL_LINE", "restock": true}]}"#,
        &[r#"UPDATED RETURN sailor {"status":"requested"} {"status":"received"}"#],
    ),
    Case(
        "returnReject",
        r#"{"id": "OTHER_RETURN", "reason": "too late"}"#,
        &[r#"UPDATED RETURN sailor {"status":"requested"} {"status":"rejected"}"#],
    ),
    Case("shipmentDeliver", r#"{"id": "SHIPMENT"}"#, &["UPDATED SHIPMENT sailor {} {}"]),
    Case(
        "register",
        r#"{"name": "Ada", "email": "ada@souk.example", "password": "correct horse", "sourceWebsiteId": "WEBSITE"}"#,
        &[
            r#"CREATED USER sailor null {"name":"Ada","email":"ada@souk.example","role_id":"CUSTOMERS","is_active":true,"password_hash":"(hidden)","source_website_id":"WEBSITE"}"#,
        ],
    ),
    Case(
        "userCreate",
        r#"{"name": "Bo", "email": "bo@souk.example", "role": "seller"}"#,
        &[r#"CREATED USER - null {"name":"Bo","email":"bo@souk.example","role_id":"SELLERS","is_active":true}"#],
    ),
    Case(
        "userUpdate",
        r#"{"id": "CUSTOMER", "name": "Cy", "phone": "+44 20 7946 0000"}"#,
        &[r#"UPDATED USER - {"name":"A Customer","phone":null} {"name":"Cy","phone":"+442079460000"}"#],
    ),
    Case(
        "userIdentityAdd",
        r#"{"userId": "CUSTOMER", "websiteId": "WEBSITE", "externalId": "C-7"}"#,
        &[r#"UPDATED USER sailor null {"website_id":"WEBSITE","external_id":"C-7"}"#],
    ),
    Case(
        "userIdentityRemove",
        r#"{"userId": "CUSTOMER", "websiteId": "WEBSITE"}"#,
        &[r#"UPDATED USER sailor {"website_id":"WEBSITE","external_id":"C-7"} null"#],
    ),
    Case("userDeactivate", r#"{"id": "CUSTOMER"}"#, &[r#"UPDATED USER - {"is_active":true} {"is_active":false}"#]),
    Case(
        "categoryMove",
        r#"{"id": "LEAF", "parentId": "CATEGORY"}"#,
        &[r#"UPDATED CATEGORY - {"parent_id":null} {"parent_id":"CATEGORY"}"#],
    ),
    Case(
        "categoryDelete",
        r#"{"id": "LEAF"}"#,
        &[
            r#"DELETED CATEGORY - {"name":"leaf","slug":"leaf","position":1024,"parent_id":"CATEGORY","description":""} null"#,
        ],
    ),
    Case("userReactivate", r#"{"id": "CUSTOMER"}"#, &[r#"UPDATED USER - {"is_active":false} {"is_active":true}"#]),
    Case(
        "userRoleSet",
        r#"{"userId": "CUSTOMER", "role": "SELLERS"}"#,
        &[r#"UPDATED USER - {"role_id":"CUSTOMERS"} {"role_id":"SELLERS"}"#],
    ),
    // The erasure is logged, but not the data that it removed.
    Case("userErase", r#"{"id": "CUSTOMER"}"#, &[r#"UPDATED USER - {"is_active":true} {"is_active":false}"#]),
    Case(
        "apiKeyCreate",
        r#"{"name": "Till", "permissions": ["MANAGE_STOCK"], "websites": ["WEBSITE"]}"#,
        &[
            r#"CREATED API_KEY - null {"hash":"(hidden)","name":"Till","user_id":"ADMIN"}"#,
            r#"UPDATED API_KEY - null {"permission":"MANAGE_STOCK"}"#,
            r#"UPDATED API_KEY - null {"website_id":"WEBSITE"}"#,
        ],
    ),
    Case("apiKeyRevoke", r#"{"id": "KEY"}"#, &["UPDATED API_KEY - {} {}"]),
    Case(
        "roleCreate",
        r#"{"code": "clerk", "name": "Clerk", "permissions": ["MANAGE_STOCK"], "websites": ["WEBSITE"]}"#,
        &[
            r#"CREATED ROLE - null {"code":"clerk","name":"Clerk","is_builtin":false,"description":""}"#,
            r#"UPDATED ROLE - null {"permission":"MANAGE_STOCK"}"#,
            r#"UPDATED ROLE - null {"website_id":"WEBSITE"}"#,
        ],
    ),
    Case(
        "roleUpdate",
        r#"{"id": "ROLE", "permissions": ["MANAGE_USERS"]}"#,
        &[
            r#"UPDATED ROLE - {"permission":"MANAGE_STOCK"} null"#,
            r#"UPDATED ROLE - null {"permission":"MANAGE_USERS"}"#,
        ],
    ),
    Case(
        "roleDelete",
        r#"{"id": "ROLE"}"#,
        &[
            r#"DELETED ROLE - {"code":"temp","name":"Temp","is_builtin":false,"description":""} null"#,
            r#"UPDATED ROLE - {"permission":"MANAGE_USERS"} null"#,
        ],
    ),
    Case(
        "jobRetry",
        r#"{"id": "JOB"}"#,
        &[r#"UPDATED JOB - {"state":"dead","attempts":10} {"state":"queued","attempts":0}"#],
    ),
    Case(
        "jobDelete",
        r#"{"id": "GONE"}"#,
        &[r#"DELETED JOB - {"kind":"mail","state":"dead","attempts":3,"is_recurring":false} null"#],
    ),
    Case(
        "importStart",
        r#"{"resource": "STOCK", "websiteId": "WEBSITE", "uploadId": "UPLOAD", "idempotencyKey": "k"}"#,
        &[
            r#"CREATED TRANSFER sailor null {"format":"souk-csv","user_id":"ADMIN","resource":"stock","direction":"import","is_dry_run":false,"website_id":"WEBSITE"}"#,
        ],
    ),
    Case(
        "exportStart",
        r#"{"resource": "ORDERS", "websiteId": "WEBSITE", "idempotencyKey": "k"}"#,
        &[
            r#"CREATED TRANSFER sailor null {"format":"souk-csv","user_id":"ADMIN","resource":"orders","direction":"export","is_dry_run":false,"website_id":"WEBSITE"}"#,
        ],
    ),
    Case(
        "searchRuleCreate",
        r#"{"websiteId": "WEBSITE", "words": ["sale"], "url": "/sale"}"#,
        &[
            r#"CREATED SEARCH_RULE sailor null {"url":"/sale","words":["sale"],"website_id":"WEBSITE","blocks_suggestions":false}"#,
        ],
    ),
    Case(
        "searchRuleUpdate",
        r#"{"id": "RULE", "words": ["rope", "cord"]}"#,
        &[r#"UPDATED SEARCH_RULE sailor {"words":["rope","line"]} {"words":["rope","cord"]}"#],
    ),
    Case(
        "searchRuleDelete",
        r#"{"id": "RULE"}"#,
        &[
            r#"DELETED SEARCH_RULE sailor {"words":["rope","cord"],"website_id":"WEBSITE","blocks_suggestions":false} null"#,
        ],
    ),
    // Mutations that change nothing in the log.
    Case("paymentVoid", r#"{"id": "PAYMENT", "idempotencyKey": "k"}"#, &[]),
    Case("login", r#"{"email": "ada@souk.example", "password": "correct horse"}"#, &[]),
    Case("addressCreate", r#"{"countryCode": "DE", "city": "Kiel", "address": "Hafen 1", "postalCode": "24103"}"#, &[]),
    Case("addressUpdate", r#"{"id": "ADDRESS", "city": "Bremen"}"#, &[]),
    Case("addressDelete", r#"{"id": "ADDRESS"}"#, &[]),
];
