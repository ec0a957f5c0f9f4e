/*
 * Revocation - what Java's own checker says of a certificate: sun.security's PKIXRevocationChecker, nothing forgiven.
 *
 *	java [-Dcom.sun.security.enableCRLDP=true] Revocation.java ISSUER.cer HOW CERTIFICATE.cer [HOW CERTIFICATE.cer …]
 *
 * HOW: ocsp (where the certificate's AIA says, and nothing else) or crl (where its CRLDP says, and nothing else).
 * One line each: "good", "revoked REASON", or what it could not find out.
 */
import java.io.FileInputStream;
import java.io.InputStream;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateRevokedException;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

public class Revocation {
	static final CertificateFactory factory;
	static {
		try {
			factory = CertificateFactory.getInstance("X.509");
		} catch (Exception e) {
			throw new Error(e);
		}
	}

	static X509Certificate read(String path) throws Exception {
		try (InputStream in = new FileInputStream(path)) {
			return (X509Certificate) factory.generateCertificate(in);
		}
	}

	static String judge(X509Certificate issuer, String how, X509Certificate leaf) throws Exception {
		CertPathValidator validator = CertPathValidator.getInstance("PKIX");
		PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
		checker.setOptions(how.equals("crl")
		        ? EnumSet.of(PKIXRevocationChecker.Option.PREFER_CRLS, PKIXRevocationChecker.Option.NO_FALLBACK)
		        : EnumSet.of(PKIXRevocationChecker.Option.NO_FALLBACK));
		PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(issuer, null)));
		parameters.addCertPathChecker(checker);
		CertPath path = factory.generateCertPath(List.of(leaf));
		try {
			validator.validate(path, parameters);
			return "good";
		} catch (CertPathValidatorException e) {
			if (e.getCause() instanceof CertificateRevokedException)
				return "revoked " + ((CertificateRevokedException) e.getCause()).getRevocationReason();
			return e.getReason() + ": " + e.getMessage();
		}
	}

	public static void main(String[] args) throws Exception {
		X509Certificate issuer = read(args[0]);

		for (int i = 1; i + 1 < args.length; i += 2)
			System.out.println(judge(issuer, args[i], read(args[i + 1])));
	}
}
