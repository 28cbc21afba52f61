BEGIN TRANSACTION;
CREATE TABLE current (one INTEGER PRIMARY KEY CHECK (one = 1), model INTEGER REFERENCES models);
INSERT INTO "current" VALUES(1,1);
CREATE TABLE edits (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    made TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('done', 'undone', 'discarded')),
    image INTEGER REFERENCES images,
    setting TEXT,
    before TEXT,
    after TEXT
);
INSERT INTO "edits" VALUES(1,'2026-11-21T13:27:12.656870+00:00','done',1,NULL,NULL,NULL);
INSERT INTO "edits" VALUES(2,'2026-11-21T13:27:12.673704+00:00','done',1,NULL,NULL,NULL);
INSERT INTO "edits" VALUES(3,'2026-11-21T13:27:12.678022+00:00','undone',2,NULL,NULL,NULL);
CREATE TABLE images (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL,
    relative TEXT,
    shape TEXT NOT NULL,
    pixel_size REAL
);
INSERT INTO "images" VALUES(1,'a','/data/a','data/a','[40, 50]',1.5);
INSERT INTO "images" VALUES(2,'b','/data/b','data/b','[40, 50]',1.5);
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    started TEXT NOT NULL,
    finished TEXT NOT NULL,
    state TEXT NOT NULL,
    summary TEXT NOT NULL
);
CREATE TABLE labels (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image INTEGER NOT NULL REFERENCES images,
    edit INTEGER NOT NULL REFERENCES edits,
    label INTEGER NOT NULL CHECK (label IN (0, 1)),
    z REAL,
    y REAL NOT NULL,
    x REAL NOT NULL
);
INSERT INTO "labels" VALUES(1,1,1,1,NULL,1.5,2.5);
INSERT INTO "labels" VALUES(2,1,1,1,NULL,10.0,20.0);
INSERT INTO "labels" VALUES(3,1,2,0,NULL,1.5,2.5);
INSERT INTO "labels" VALUES(4,2,3,1,NULL,3.0,4.0);
CREATE TABLE models (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    made TEXT NOT NULL,
    edit INTEGER NOT NULL,
    summary TEXT NOT NULL,
    checkpoint BLOB NOT NULL
);
INSERT INTO "models" VALUES(1,'2026-11-21T13:27:12.705695+00:00',2,'{"loss": 1}',X'77656967687473');
CREATE TABLE picks (
    image INTEGER PRIMARY KEY REFERENCES images,
    model INTEGER REFERENCES models,
    edit INTEGER,
    positions BLOB NOT NULL,
    scores BLOB,
    pixel_size REAL,
    diameter REAL,
    columns TEXT NOT NULL
);
INSERT INTO "picks" VALUES(1,1,2,X'000000000000F03F0000000000000040',X'0000003F',NULL,NULL,'{}');
CREATE TABLE removals (
    label INTEGER NOT NULL REFERENCES labels,
    edit INTEGER NOT NULL REFERENCES edits,
    PRIMARY KEY (label, edit)
);
INSERT INTO "removals" VALUES(1,2);
CREATE TABLE score_maps (
    image INTEGER PRIMARY KEY REFERENCES images,
    shape TEXT NOT NULL,
    scale TEXT NOT NULL,
    origin TEXT NOT NULL,
    scores BLOB NOT NULL
);
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO "settings" VALUES('threshold','0.5');
CREATE INDEX edits_by_state ON edits (state);
CREATE INDEX labels_by_image ON labels (image);
CREATE INDEX labels_by_edit ON labels (edit);
CREATE INDEX removals_by_edit ON removals (edit);
CREATE VIEW live_labels AS
    SELECT labels.* FROM labels
    JOIN edits ON edits.id = labels.edit AND edits.state = 'done'
    WHERE NOT EXISTS (
        SELECT 1 FROM removals
        JOIN edits AS removing ON removing.id = removals.edit AND removing.state = 'done'
        WHERE removals.label = labels.id
    );
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('edits',3);
INSERT INTO "sqlite_sequence" VALUES('labels',4);
INSERT INTO "sqlite_sequence" VALUES('models',1);
COMMIT;
