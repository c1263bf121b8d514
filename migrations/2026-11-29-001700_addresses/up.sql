-- Addresses that a carrier can deliver to: countries are ISO 3166-1 alpha-2 codes, and an address has a recipient, a company,
-- a phone number and a subdivision (ISO 3166-2). Orders have a billing address; null is the shipping address.

ALTER TABLE addresses
    ADD COLUMN recipient_name text
        CONSTRAINT addresses_recipient_name_length CHECK (char_length(recipient_name) BETWEEN 1 AND 255),
    ADD COLUMN company text CONSTRAINT addresses_company_length CHECK (char_length(company) BETWEEN 1 AND 255),
    ADD COLUMN phone text CONSTRAINT addresses_phone_length CHECK (char_length(phone) BETWEEN 3 AND 40),
    ADD COLUMN subdivision text
        CONSTRAINT addresses_subdivision_code CHECK (subdivision ~ '^[A-Z]{2}-[A-Z0-9]{1,3}$');

-- The billing address has the keys of the columns of `addresses`. It is not columns, since few orders have one.
ALTER TABLE orders
    ADD COLUMN ship_recipient_name text
        CONSTRAINT orders_ship_recipient_name_length CHECK (char_length(ship_recipient_name) BETWEEN 1 AND 255),
    ADD COLUMN ship_company text CONSTRAINT orders_ship_company_length CHECK (char_length(ship_company) BETWEEN 1 AND 255),
    ADD COLUMN ship_phone text CONSTRAINT orders_ship_phone_length CHECK (char_length(ship_phone) BETWEEN 1 AND 50),
    ADD COLUMN ship_subdivision text
        CONSTRAINT orders_ship_subdivision_code CHECK (ship_subdivision ~ '^[A-Z]{2}-[A-Z0-9]{1,3}$'),
    ADD COLUMN billing_address jsonb CONSTRAINT orders_billing_address_country CHECK (billing_address IS NULL
        OR coalesce(jsonb_typeof(billing_address) = 'object' AND billing_address ->> 'country' ~ '^[A-Z]{2}$', false));

-- Countries by their codes and by the letters of their English names. A country that is not found becomes ZZ, which ISO 3166
-- never assigns, and its text is kept in the district or, if it does not fit there, in the street lines.
CREATE TEMPORARY TABLE country_names (name text PRIMARY KEY, code text NOT NULL);
INSERT INTO country_names VALUES
    ('ad', 'AD'), ('and', 'AD'), ('andorra', 'AD'), ('ae', 'AE'), ('are', 'AE'), ('uae', 'AE'), ('emirates', 'AE'),
    ('unitedarabemirates', 'AE'), ('af', 'AF'), ('afg', 'AF'), ('afghanistan', 'AF'), ('ag', 'AG'), ('atg', 'AG'),
    ('antigua', 'AG'), ('antiguaandbarbuda', 'AG'), ('ai', 'AI'), ('aia', 'AI'), ('anguilla', 'AI'), ('al', 'AL'),
    ('alb', 'AL'), ('albania', 'AL'), ('am', 'AM'), ('arm', 'AM'), ('armenia', 'AM'), ('ago', 'AO'), ('ao', 'AO'),
    ('angola', 'AO'), ('aq', 'AQ'), ('ata', 'AQ'), ('antarctica', 'AQ'), ('ar', 'AR'), ('arg', 'AR'), ('argentina', 'AR'),
    ('as', 'AS'), ('asm', 'AS'), ('americansamoa', 'AS'), ('at', 'AT'), ('aut', 'AT'), ('austria', 'AT'),
    ('osterreich', 'AT'), ('au', 'AU'), ('aus', 'AU'), ('australia', 'AU'), ('abw', 'AW'), ('aw', 'AW'), ('aruba', 'AW'),
    ('ala', 'AX'), ('ax', 'AX'), ('alandislands', 'AX'), ('az', 'AZ'), ('aze', 'AZ'), ('azerbaijan', 'AZ'), ('ba', 'BA'),
    ('bih', 'BA'), ('bosnia', 'BA'), ('bosniaandherzegovina', 'BA'), ('bb', 'BB'), ('brb', 'BB'), ('barbados', 'BB'),
    ('bd', 'BD'), ('bgd', 'BD'), ('bangladesh', 'BD'), ('be', 'BE'), ('bel', 'BE'), ('belgie', 'BE'), ('belgique', 'BE'),
    ('belgium', 'BE'), ('bf', 'BF'), ('bfa', 'BF'), ('burkinafaso', 'BF'), ('bg', 'BG'), ('bgr', 'BG'), ('bulgaria', 'BG'),
    ('bh', 'BH'), ('bhr', 'BH'), ('bahrain', 'BH'), ('bdi', 'BI'), ('bi', 'BI'), ('burundi', 'BI'), ('ben', 'BJ'),
    ('bj', 'BJ'), ('benin', 'BJ'), ('bl', 'BL'), ('blm', 'BL'), ('saintbarthelemy', 'BL'), ('stbarthelemy', 'BL'),
    ('bm', 'BM'), ('bmu', 'BM'), ('bermuda', 'BM'), ('bn', 'BN'), ('brn', 'BN'), ('brunei', 'BN'), ('bruneidarussalam', 'BN'),
    ('bo', 'BO'), ('bol', 'BO'), ('bolivia', 'BO'), ('boliviaplurinationalstateof', 'BO'), ('bes', 'BQ'), ('bq', 'BQ'),
    ('bonaire', 'BQ'), ('bonairesinteustatiusandsaba', 'BQ'), ('caribbeannetherlands', 'BQ'), ('br', 'BR'), ('bra', 'BR'),
    ('brasil', 'BR'), ('brazil', 'BR'), ('bhs', 'BS'), ('bs', 'BS'), ('bahamas', 'BS'), ('bt', 'BT'), ('btn', 'BT'),
    ('bhutan', 'BT'), ('bv', 'BV'), ('bvt', 'BV'), ('bouvetisland', 'BV'), ('bw', 'BW'), ('bwa', 'BW'), ('botswana', 'BW'),
    ('blr', 'BY'), ('by', 'BY'), ('belarus', 'BY'), ('blz', 'BZ'), ('bz', 'BZ'), ('belize', 'BZ'), ('ca', 'CA'),
    ('can', 'CA'), ('canada', 'CA'), ('cc', 'CC'), ('cck', 'CC'), ('cocoskeelingislands', 'CC'), ('cd', 'CD'), ('cod', 'CD'),
    ('congodemocraticrepublicof', 'CD'), ('congodrc', 'CD'), ('congokinshasa', 'CD'), ('democraticrepublicofcongo', 'CD'),
    ('drcongo', 'CD'), ('caf', 'CF'), ('cf', 'CF'), ('centralafricanrepublic', 'CF'), ('cg', 'CG'), ('cog', 'CG'),
    ('congo', 'CG'), ('congobrazzaville', 'CG'), ('congorepublic', 'CG'), ('republicofcongo', 'CG'), ('ch', 'CH'),
    ('che', 'CH'), ('schweiz', 'CH'), ('suisse', 'CH'), ('switzerland', 'CH'), ('ci', 'CI'), ('civ', 'CI'),
    ('cotedivoire', 'CI'), ('ivorycoast', 'CI'), ('ck', 'CK'), ('cok', 'CK'), ('cookislands', 'CK'), ('chl', 'CL'),
    ('cl', 'CL'), ('chile', 'CL'), ('cm', 'CM'), ('cmr', 'CM'), ('cameroon', 'CM'), ('chn', 'CN'), ('cn', 'CN'),
    ('china', 'CN'), ('co', 'CO'), ('col', 'CO'), ('colombia', 'CO'), ('cr', 'CR'), ('cri', 'CR'), ('costarica', 'CR'),
    ('cu', 'CU'), ('cub', 'CU'), ('cuba', 'CU'), ('cpv', 'CV'), ('cv', 'CV'), ('caboverde', 'CV'), ('capeverde', 'CV'),
    ('cuw', 'CW'), ('cw', 'CW'), ('curacao', 'CW'), ('cx', 'CX'), ('cxr', 'CX'), ('christmasisland', 'CX'), ('cy', 'CY'),
    ('cyp', 'CY'), ('cyprus', 'CY'), ('cz', 'CZ'), ('cze', 'CZ'), ('czechia', 'CZ'), ('czechrepublic', 'CZ'), ('de', 'DE'),
    ('deu', 'DE'), ('deutschland', 'DE'), ('germany', 'DE'), ('dj', 'DJ'), ('dji', 'DJ'), ('djibouti', 'DJ'), ('dk', 'DK'),
    ('dnk', 'DK'), ('danmark', 'DK'), ('denmark', 'DK'), ('dm', 'DM'), ('dma', 'DM'), ('dominica', 'DM'), ('do', 'DO'),
    ('dom', 'DO'), ('dominicanrepublic', 'DO'), ('dz', 'DZ'), ('dza', 'DZ'), ('algeria', 'DZ'), ('ec', 'EC'), ('ecu', 'EC'),
    ('ecuador', 'EC'), ('ee', 'EE'), ('est', 'EE'), ('estonia', 'EE'), ('eg', 'EG'), ('egy', 'EG'), ('egypt', 'EG'),
    ('eh', 'EH'), ('esh', 'EH'), ('westernsahara', 'EH'), ('er', 'ER'), ('eri', 'ER'), ('eritrea', 'ER'), ('es', 'ES'),
    ('esp', 'ES'), ('espana', 'ES'), ('spain', 'ES'), ('et', 'ET'), ('eth', 'ET'), ('ethiopia', 'ET'), ('fi', 'FI'),
    ('fin', 'FI'), ('finland', 'FI'), ('suomi', 'FI'), ('fj', 'FJ'), ('fji', 'FJ'), ('fiji', 'FJ'), ('fk', 'FK'),
    ('flk', 'FK'), ('falklandislands', 'FK'), ('falklandislandsmalvinas', 'FK'), ('fm', 'FM'), ('fsm', 'FM'),
    ('micronesia', 'FM'), ('micronesiafederatedstatesof', 'FM'), ('fo', 'FO'), ('fro', 'FO'), ('faroeislands', 'FO'),
    ('fr', 'FR'), ('fra', 'FR'), ('france', 'FR'), ('ga', 'GA'), ('gab', 'GA'), ('gabon', 'GA'), ('gb', 'GB'), ('gbr', 'GB'),
    ('uk', 'GB'), ('britain', 'GB'), ('england', 'GB'), ('greatbritain', 'GB'), ('northernireland', 'GB'), ('scotland', 'GB'),
    ('unitedkingdom', 'GB'), ('unitedkingdomofgreatbritainandnorthernireland', 'GB'), ('wales', 'GB'), ('gd', 'GD'),
    ('grd', 'GD'), ('grenada', 'GD'), ('ge', 'GE'), ('geo', 'GE'), ('georgia', 'GE'), ('gf', 'GF'), ('guf', 'GF'),
    ('frenchguiana', 'GF'), ('gg', 'GG'), ('ggy', 'GG'), ('guernsey', 'GG'), ('gh', 'GH'), ('gha', 'GH'), ('ghana', 'GH'),
    ('gi', 'GI'), ('gib', 'GI'), ('gibraltar', 'GI'), ('gl', 'GL'), ('grl', 'GL'), ('greenland', 'GL'), ('gm', 'GM'),
    ('gmb', 'GM'), ('gambia', 'GM'), ('gin', 'GN'), ('gn', 'GN'), ('guinea', 'GN'), ('glp', 'GP'), ('gp', 'GP'),
    ('guadeloupe', 'GP'), ('gnq', 'GQ'), ('gq', 'GQ'), ('equatorialguinea', 'GQ'), ('el', 'GR'), ('gr', 'GR'), ('grc', 'GR'),
    ('greece', 'GR'), ('hellas', 'GR'), ('gs', 'GS'), ('sgs', 'GS'), ('southgeorgiaandsouthsandwichislands', 'GS'),
    ('gt', 'GT'), ('gtm', 'GT'), ('guatemala', 'GT'), ('gu', 'GU'), ('gum', 'GU'), ('guam', 'GU'), ('gnb', 'GW'),
    ('gw', 'GW'), ('guineabissau', 'GW'), ('guy', 'GY'), ('gy', 'GY'), ('guyana', 'GY'), ('hk', 'HK'), ('hkg', 'HK'),
    ('hongkong', 'HK'), ('hongkongsar', 'HK'), ('hongkongsarchina', 'HK'), ('hm', 'HM'), ('hmd', 'HM'),
    ('heardislandandmcdonaldislands', 'HM'), ('hn', 'HN'), ('hnd', 'HN'), ('honduras', 'HN'), ('hr', 'HR'), ('hrv', 'HR'),
    ('croatia', 'HR'), ('ht', 'HT'), ('hti', 'HT'), ('haiti', 'HT'), ('hu', 'HU'), ('hun', 'HU'), ('hungary', 'HU'),
    ('id', 'ID'), ('idn', 'ID'), ('indonesia', 'ID'), ('ie', 'IE'), ('irl', 'IE'), ('eire', 'IE'), ('ireland', 'IE'),
    ('republicofireland', 'IE'), ('il', 'IL'), ('isr', 'IL'), ('israel', 'IL'), ('im', 'IM'), ('imn', 'IM'),
    ('isleofman', 'IM'), ('in', 'IN'), ('ind', 'IN'), ('india', 'IN'), ('io', 'IO'), ('iot', 'IO'),
    ('britishindianoceanterritory', 'IO'), ('iq', 'IQ'), ('irq', 'IQ'), ('iraq', 'IQ'), ('ir', 'IR'), ('irn', 'IR'),
    ('iran', 'IR'), ('iranislamicrepublicof', 'IR'), ('is', 'IS'), ('isl', 'IS'), ('iceland', 'IS'), ('it', 'IT'),
    ('ita', 'IT'), ('italia', 'IT'), ('italy', 'IT'), ('je', 'JE'), ('jey', 'JE'), ('jersey', 'JE'), ('jam', 'JM'),
    ('jm', 'JM'), ('jamaica', 'JM'), ('jo', 'JO'), ('jor', 'JO'), ('jordan', 'JO'), ('jp', 'JP'), ('jpn', 'JP'),
    ('japan', 'JP'), ('nippon', 'JP'), ('ke', 'KE'), ('ken', 'KE'), ('kenya', 'KE'), ('kg', 'KG'), ('kgz', 'KG'),
    ('kyrgyzstan', 'KG'), ('kh', 'KH'), ('khm', 'KH'), ('cambodia', 'KH'), ('ki', 'KI'), ('kir', 'KI'), ('kiribati', 'KI'),
    ('com', 'KM'), ('km', 'KM'), ('comoros', 'KM'), ('kn', 'KN'), ('kna', 'KN'), ('saintkittsandnevis', 'KN'),
    ('stkittsandnevis', 'KN'), ('kp', 'KP'), ('prk', 'KP'), ('koreademocraticpeoplesrepublicof', 'KP'), ('northkorea', 'KP'),
    ('kor', 'KR'), ('kr', 'KR'), ('korea', 'KR'), ('korearepublicof', 'KR'), ('republicofkorea', 'KR'), ('southkorea', 'KR'),
    ('kw', 'KW'), ('kwt', 'KW'), ('kuwait', 'KW'), ('cym', 'KY'), ('ky', 'KY'), ('caymanislands', 'KY'), ('kaz', 'KZ'),
    ('kz', 'KZ'), ('kazakhstan', 'KZ'), ('la', 'LA'), ('lao', 'LA'), ('laopeoplesdemocraticrepublic', 'LA'), ('laos', 'LA'),
    ('lb', 'LB'), ('lbn', 'LB'), ('lebanon', 'LB'), ('lc', 'LC'), ('lca', 'LC'), ('saintlucia', 'LC'), ('stlucia', 'LC'),
    ('li', 'LI'), ('lie', 'LI'), ('liechtenstein', 'LI'), ('lk', 'LK'), ('lka', 'LK'), ('srilanka', 'LK'), ('lbr', 'LR'),
    ('lr', 'LR'), ('liberia', 'LR'), ('ls', 'LS'), ('lso', 'LS'), ('lesotho', 'LS'), ('lt', 'LT'), ('ltu', 'LT'),
    ('lithuania', 'LT'), ('lu', 'LU'), ('lux', 'LU'), ('luxembourg', 'LU'), ('lv', 'LV'), ('lva', 'LV'), ('latvia', 'LV'),
    ('lby', 'LY'), ('ly', 'LY'), ('libya', 'LY'), ('ma', 'MA'), ('mar', 'MA'), ('morocco', 'MA'), ('mc', 'MC'), ('mco', 'MC'),
    ('monaco', 'MC'), ('md', 'MD'), ('mda', 'MD'), ('moldova', 'MD'), ('moldovarepublicof', 'MD'), ('me', 'ME'),
    ('mne', 'ME'), ('montenegro', 'ME'), ('maf', 'MF'), ('mf', 'MF'), ('saintmartin', 'MF'), ('saintmartinfrenchpart', 'MF'),
    ('stmartin', 'MF'), ('mdg', 'MG'), ('mg', 'MG'), ('madagascar', 'MG'), ('mh', 'MH'), ('mhl', 'MH'),
    ('marshallislands', 'MH'), ('mk', 'MK'), ('mkd', 'MK'), ('fyrmacedonia', 'MK'), ('macedonia', 'MK'),
    ('northmacedonia', 'MK'), ('ml', 'ML'), ('mli', 'ML'), ('mali', 'ML'), ('mm', 'MM'), ('mmr', 'MM'), ('burma', 'MM'),
    ('myanmar', 'MM'), ('mn', 'MN'), ('mng', 'MN'), ('mongolia', 'MN'), ('mac', 'MO'), ('mo', 'MO'), ('macao', 'MO'),
    ('macau', 'MO'), ('mnp', 'MP'), ('mp', 'MP'), ('northernmarianaislands', 'MP'), ('mq', 'MQ'), ('mtq', 'MQ'),
    ('martinique', 'MQ'), ('mr', 'MR'), ('mrt', 'MR'), ('mauritania', 'MR'), ('ms', 'MS'), ('msr', 'MS'),
    ('montserrat', 'MS'), ('mlt', 'MT'), ('mt', 'MT'), ('malta', 'MT'), ('mu', 'MU'), ('mus', 'MU'), ('mauritius', 'MU'),
    ('mdv', 'MV'), ('mv', 'MV'), ('maldives', 'MV'), ('mw', 'MW'), ('mwi', 'MW'), ('malawi', 'MW'), ('mex', 'MX'),
    ('mx', 'MX'), ('mexico', 'MX'), ('my', 'MY'), ('mys', 'MY'), ('malaysia', 'MY'), ('moz', 'MZ'), ('mz', 'MZ'),
    ('mozambique', 'MZ'), ('na', 'NA'), ('nam', 'NA'), ('namibia', 'NA'), ('nc', 'NC'), ('ncl', 'NC'), ('newcaledonia', 'NC'),
    ('ne', 'NE'), ('ner', 'NE'), ('niger', 'NE'), ('nf', 'NF'), ('nfk', 'NF'), ('norfolkisland', 'NF'), ('ng', 'NG'),
    ('nga', 'NG'), ('nigeria', 'NG'), ('ni', 'NI'), ('nic', 'NI'), ('nicaragua', 'NI'), ('nl', 'NL'), ('nld', 'NL'),
    ('holland', 'NL'), ('netherlands', 'NL'), ('netherlandskingdomof', 'NL'), ('no', 'NO'), ('nor', 'NO'), ('norge', 'NO'),
    ('norway', 'NO'), ('np', 'NP'), ('npl', 'NP'), ('nepal', 'NP'), ('nr', 'NR'), ('nru', 'NR'), ('nauru', 'NR'),
    ('niu', 'NU'), ('nu', 'NU'), ('niue', 'NU'), ('nz', 'NZ'), ('nzl', 'NZ'), ('newzealand', 'NZ'), ('om', 'OM'),
    ('omn', 'OM'), ('oman', 'OM'), ('pa', 'PA'), ('pan', 'PA'), ('panama', 'PA'), ('pe', 'PE'), ('per', 'PE'), ('peru', 'PE'),
    ('pf', 'PF'), ('pyf', 'PF'), ('frenchpolynesia', 'PF'), ('pg', 'PG'), ('png', 'PG'), ('papuanewguinea', 'PG'),
    ('ph', 'PH'), ('phl', 'PH'), ('philippines', 'PH'), ('pak', 'PK'), ('pk', 'PK'), ('pakistan', 'PK'), ('pl', 'PL'),
    ('pol', 'PL'), ('poland', 'PL'), ('polska', 'PL'), ('pm', 'PM'), ('spm', 'PM'), ('saintpierreandmiquelon', 'PM'),
    ('stpierreandmiquelon', 'PM'), ('pcn', 'PN'), ('pn', 'PN'), ('pitcairn', 'PN'), ('pitcairnislands', 'PN'), ('pr', 'PR'),
    ('pri', 'PR'), ('puertorico', 'PR'), ('ps', 'PS'), ('pse', 'PS'), ('palestine', 'PS'), ('palestinestateof', 'PS'),
    ('palestinianterritories', 'PS'), ('stateofpalestine', 'PS'), ('prt', 'PT'), ('pt', 'PT'), ('portugal', 'PT'),
    ('plw', 'PW'), ('pw', 'PW'), ('palau', 'PW'), ('pry', 'PY'), ('py', 'PY'), ('paraguay', 'PY'), ('qa', 'QA'),
    ('qat', 'QA'), ('qatar', 'QA'), ('re', 'RE'), ('reu', 'RE'), ('reunion', 'RE'), ('ro', 'RO'), ('rou', 'RO'),
    ('romania', 'RO'), ('rs', 'RS'), ('srb', 'RS'), ('serbia', 'RS'), ('ru', 'RU'), ('rus', 'RU'), ('russia', 'RU'),
    ('russianfederation', 'RU'), ('rw', 'RW'), ('rwa', 'RW'), ('rwanda', 'RW'), ('sa', 'SA'), ('sau', 'SA'),
    ('saudiarabia', 'SA'), ('sb', 'SB'), ('slb', 'SB'), ('solomonislands', 'SB'), ('sc', 'SC'), ('syc', 'SC'),
    ('seychelles', 'SC'), ('sd', 'SD'), ('sdn', 'SD'), ('sudan', 'SD'), ('se', 'SE'), ('swe', 'SE'), ('sverige', 'SE'),
    ('sweden', 'SE'), ('sg', 'SG'), ('sgp', 'SG'), ('singapore', 'SG'), ('sh', 'SH'), ('shn', 'SH'), ('sainthelena', 'SH'),
    ('sainthelenaascensionandtristandacunha', 'SH'), ('sthelenaascensionandtristandacunha', 'SH'), ('si', 'SI'),
    ('svn', 'SI'), ('slovenia', 'SI'), ('sj', 'SJ'), ('sjm', 'SJ'), ('svalbardandjanmayen', 'SJ'), ('sk', 'SK'),
    ('svk', 'SK'), ('slovakia', 'SK'), ('sl', 'SL'), ('sle', 'SL'), ('sierraleone', 'SL'), ('sm', 'SM'), ('smr', 'SM'),
    ('sanmarino', 'SM'), ('sen', 'SN'), ('sn', 'SN'), ('senegal', 'SN'), ('so', 'SO'), ('som', 'SO'), ('somalia', 'SO'),
    ('sr', 'SR'), ('sur', 'SR'), ('suriname', 'SR'), ('ss', 'SS'), ('ssd', 'SS'), ('southsudan', 'SS'), ('st', 'ST'),
    ('stp', 'ST'), ('saotomeandprincipe', 'ST'), ('slv', 'SV'), ('sv', 'SV'), ('elsalvador', 'SV'), ('sx', 'SX'),
    ('sxm', 'SX'), ('sintmaarten', 'SX'), ('sintmaartendutchpart', 'SX'), ('sy', 'SY'), ('syr', 'SY'), ('syria', 'SY'),
    ('syrianarabrepublic', 'SY'), ('swz', 'SZ'), ('sz', 'SZ'), ('eswatini', 'SZ'), ('swaziland', 'SZ'), ('tc', 'TC'),
    ('tca', 'TC'), ('turksandcaicosislands', 'TC'), ('tcd', 'TD'), ('td', 'TD'), ('chad', 'TD'), ('atf', 'TF'), ('tf', 'TF'),
    ('frenchsouthernandantarcticlands', 'TF'), ('frenchsouthernterritories', 'TF'), ('tg', 'TG'), ('tgo', 'TG'),
    ('togo', 'TG'), ('th', 'TH'), ('tha', 'TH'), ('thailand', 'TH'), ('tj', 'TJ'), ('tjk', 'TJ'), ('tajikistan', 'TJ'),
    ('tk', 'TK'), ('tkl', 'TK'), ('tokelau', 'TK'), ('tl', 'TL'), ('tls', 'TL'), ('easttimor', 'TL'), ('timorleste', 'TL'),
    ('tkm', 'TM'), ('tm', 'TM'), ('turkmenistan', 'TM'), ('tn', 'TN'), ('tun', 'TN'), ('tunisia', 'TN'), ('to', 'TO'),
    ('ton', 'TO'), ('tonga', 'TO'), ('tr', 'TR'), ('tur', 'TR'), ('turkey', 'TR'), ('turkiye', 'TR'), ('tt', 'TT'),
    ('tto', 'TT'), ('trinidad', 'TT'), ('trinidadandtobago', 'TT'), ('tuv', 'TV'), ('tv', 'TV'), ('tuvalu', 'TV'),
    ('tw', 'TW'), ('twn', 'TW'), ('taiwan', 'TW'), ('taiwanprovinceofchina', 'TW'), ('tz', 'TZ'), ('tza', 'TZ'),
    ('tanzania', 'TZ'), ('tanzaniaunitedrepublicof', 'TZ'), ('ua', 'UA'), ('ukr', 'UA'), ('ukraine', 'UA'), ('ug', 'UG'),
    ('uga', 'UG'), ('uganda', 'UG'), ('um', 'UM'), ('umi', 'UM'), ('unitedstatesminoroutlyingislands', 'UM'),
    ('usoutlyingislands', 'UM'), ('us', 'US'), ('usa', 'US'), ('america', 'US'), ('unitedstates', 'US'),
    ('unitedstatesofamerica', 'US'), ('ury', 'UY'), ('uy', 'UY'), ('uruguay', 'UY'), ('uz', 'UZ'), ('uzb', 'UZ'),
    ('uzbekistan', 'UZ'), ('va', 'VA'), ('vat', 'VA'), ('holysee', 'VA'), ('vatican', 'VA'), ('vaticancity', 'VA'),
    ('vc', 'VC'), ('vct', 'VC'), ('saintvincentandgrenadines', 'VC'), ('stvincentandgrenadines', 'VC'), ('ve', 'VE'),
    ('ven', 'VE'), ('venezuela', 'VE'), ('venezuelabolivarianrepublicof', 'VE'), ('vg', 'VG'), ('vgb', 'VG'),
    ('britishvirginislands', 'VG'), ('virginislandsbritish', 'VG'), ('vi', 'VI'), ('vir', 'VI'), ('usvirginislands', 'VI'),
    ('virginislands', 'VI'), ('virginislandsus', 'VI'), ('vn', 'VN'), ('vnm', 'VN'), ('vietnam', 'VN'), ('vu', 'VU'),
    ('vut', 'VU'), ('vanuatu', 'VU'), ('wf', 'WF'), ('wlf', 'WF'), ('wallisandfutuna', 'WF'), ('ws', 'WS'), ('wsm', 'WS'),
    ('samoa', 'WS'), ('xk', 'XK'), ('kosovo', 'XK'), ('ye', 'YE'), ('yem', 'YE'), ('yemen', 'YE'), ('myt', 'YT'),
    ('yt', 'YT'), ('mayotte', 'YT'), ('rsa', 'ZA'), ('za', 'ZA'), ('zaf', 'ZA'), ('southafrica', 'ZA'), ('zm', 'ZM'),
    ('zmb', 'ZM'), ('zambia', 'ZM'), ('zw', 'ZW'), ('zwe', 'ZW'), ('zimbabwe', 'ZW');

CREATE FUNCTION country_key(country text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT regexp_replace(replace(lower(unaccent(country)), '&', ' and '), '\mthe\M|[^a-z]+', '', 'g')
$$;

-- A conversion is not a change: no audit entries, and `updated_at` stays.
SET LOCAL souk.audit = 'off';
ALTER TABLE addresses DISABLE TRIGGER addresses_touch;
ALTER TABLE orders DISABLE TRIGGER orders_touch;

ALTER TABLE addresses DROP CONSTRAINT addresses_country_length;
UPDATE addresses a SET
        country = coalesce(n.code, 'ZZ'),
        district = CASE WHEN n.code IS NULL AND char_length(concat_ws(', ', a.district, a.country)) <= 100
                        THEN concat_ws(', ', a.district, a.country) ELSE a.district END,
        address = CASE WHEN n.code IS NULL AND char_length(concat_ws(', ', a.district, a.country)) > 100
                       THEN left(a.address, 399) || E'\n' || a.country ELSE a.address END
    FROM addresses old LEFT JOIN country_names n ON n.name = country_key(old.country)
    WHERE old.id = a.id AND n.code IS DISTINCT FROM a.country;
UPDATE orders o SET
        ship_country = coalesce(n.code, 'ZZ'),
        ship_district = CASE WHEN n.code IS NULL THEN concat_ws(', ', o.ship_district, o.ship_country) ELSE o.ship_district END
    FROM orders old LEFT JOIN country_names n ON n.name = country_key(old.ship_country)
    WHERE old.id = o.id AND o.ship_country IS NOT NULL AND n.code IS DISTINCT FROM o.ship_country;
ALTER TABLE addresses ADD CONSTRAINT addresses_country_code CHECK (country ~ '^[A-Z]{2}$');
ALTER TABLE orders ADD CONSTRAINT orders_ship_country_code CHECK (ship_country ~ '^[A-Z]{2}$');

ALTER TABLE orders ENABLE TRIGGER orders_touch;
ALTER TABLE addresses ENABLE TRIGGER addresses_touch;
SET LOCAL souk.audit = 'on';
DROP FUNCTION country_key;
DROP TABLE country_names;

-- As before, and also the new columns of orders.
CREATE OR REPLACE FUNCTION audit_forget() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    account CONSTANT text[] := '{name,email,phone,external_id}';
    shipping CONSTANT text[] := '{ship_recipient_name,ship_company,ship_phone,ship_country,ship_subdivision,ship_city,ship_district,ship_address,ship_postal_code,billing_address,contact_name,contact_email,contact_phone,customer_note}';
BEGIN
    UPDATE audit_log SET before = before - account, after = after - account
        WHERE resource_type = 'User' AND resource_id = NEW.id AND (before ?| account OR after ?| account);
    UPDATE audit_log SET before = before - shipping, after = after - shipping
        WHERE resource_type = 'Order' AND resource_id IN (SELECT id FROM orders WHERE user_id = NEW.id)
          AND (before ?| shipping OR after ?| shipping);
    UPDATE audit_log SET before = before - 'name', after = after - 'name'
        WHERE resource_type = 'ApiKey' AND NEW.id IN ((before ->> 'user_id')::bigint, (after ->> 'user_id')::bigint);
    UPDATE audit_log SET before = before - 'name', after = after - 'name'
        WHERE resource_type = 'ApiKey' AND NEW.id::text IN (before ->> 'user_id', after ->> 'user_id');
    UPDATE audit_log SET address = NULL WHERE user_id = NEW.id AND address IS NOT NULL;
    RETURN NULL;
END $$;
