DROP TABLE search_popular;
DROP TABLE search_clicks;
DROP TABLE searches;
DELETE FROM role_permissions WHERE permission = 'VIEW_ANALYTICS';
DELETE FROM permissions WHERE code = 'VIEW_ANALYTICS';
