// An S3-speaking server for tests: s3rver keeps the objects, but takes any AWS Signature Version 4; here each request is
// verified first, as the specification of Signature Version 4 has it: canonical request, string to sign, derived key, and the
// digest of the body.  Access key S3RVER, secret S3RVER.
'use strict';
const http = require('http');
const crypto = require('crypto');
const fs = require('fs');
const path = require('path');

const [folder, port, bucket, modules] = process.argv.slice(2);
const S3rver = require(path.join(modules, 's3rver'));
const KEY = 'S3RVER', SECRET = 'S3RVER';
const sha = (x) => crypto.createHash('sha256').update(x).digest('hex');
const hmac = (k, x) => crypto.createHmac('sha256', k).update(x).digest();

// Why a request is refused; null: it is signed as it should be.
function fault(req, body) {
	const m = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/
		.exec(req.headers.authorization || '');
	if (!m || m[1] !== KEY) return 'AccessDenied';
	const [, , day, region, signed, signature] = m;
	const when = req.headers['x-amz-date'] || '';
	const t = Date.parse(when.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
	if (!when.startsWith(day) || !(Math.abs(Date.now() - t) < 900000)) return 'RequestTimeTooSkewed';
	const names = signed.split(';');
	if (!names.includes('host') || !names.includes('x-amz-date') || !names.includes('x-amz-content-sha256')) return 'AccessDenied';
	if (req.headers['x-amz-content-sha256'] !== sha(body)) return 'XAmzContentSHA256Mismatch';
	const [where, query = ''] = req.url.split('?');
	const canonical = [req.method,
		where.split('/').map((s) => encodeURIComponent(decodeURIComponent(s)).replace(/[!'()*]/g, (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase())).join('/'),
		query, ...names.map((n) => n + ':' + String(req.headers[n]).trim()), '', signed, sha(body)].join('\n');
	const scope = `${day}/${region}/s3/aws4_request`;
	const key = [day, region, 's3', 'aws4_request'].reduce(hmac, 'AWS4' + SECRET);
	const want = hmac(key, ['AWS4-HMAC-SHA256', when, scope, sha(canonical)].join('\n')).toString('hex');
	return want === signature ? null : 'SignatureDoesNotMatch';
}

// An object's name may have an empty part, as base64 with two strokes has; s3rver, which keeps names as folders, has no such.
const inside = (url) => url.replace(/\/(?=\/)/g, '/__');

const store = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory: folder, vhostBuckets: false,
	configureBuckets: [{ name: bucket }] });
store.run().then(({ port: inner }) => {
	http.createServer((req, res) => {
		const parts = [];
		req.on('data', (x) => parts.push(x));
		req.on('end', () => {
			const body = Buffer.concat(parts);
			// who only reads needs no signature: the bucket is public
			let why = req.method === 'GET' || req.method === 'HEAD' ? null : fault(req, body);
			// one object this store takes from nobody: FOLDER.refuse names it, and the status it answers with
			const [name, status] = fs.existsSync(folder + '.refuse') ? fs.readFileSync(folder + '.refuse', 'utf8').trim().split(' ') : [];
			let code = 403;
			if (why === null && name && req.method === 'PUT' && req.url.endsWith('/' + name)) [why, code] = ['Refused', Number(status)];
			console.log(`${why === null ? 'taken' : 'refused ' + why} ${req.method} ${req.url}`);
			if (why !== null) {
				res.writeHead(code, { 'content-type': 'application/xml' });
				res.end(`<Error><Code>${why}</Code></Error>`);
				return;
			}
			const on = http.request({ host: '127.0.0.1', port: inner, method: req.method, path: inside(req.url), headers: req.headers }, (r) => {
				res.writeHead(r.statusCode, r.headers);
				r.pipe(res);
			});
			on.on('error', () => res.destroy());
			on.end(body);
		});
	}).listen(Number(port), '127.0.0.1');
});
