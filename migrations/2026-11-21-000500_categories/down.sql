DROP TABLE categories;
DROP FUNCTION categories_guard_path();
DROP FUNCTION categories_move_subtree();
DROP FUNCTION categories_keep_path();
DROP FUNCTION categories_lock_moves();
