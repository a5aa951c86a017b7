import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import net.tirasa.connid.bundles.ldap.LdapConfiguration;
import net.tirasa.connid.bundles.ldap.LdapConnector;
import net.tirasa.connid.bundles.scim.common.SCIMConnectorConfiguration;
import net.tirasa.connid.bundles.scim.v2.SCIMv2Connector;
import org.identityconnectors.common.security.GuardedString;
import org.identityconnectors.framework.common.objects.Attribute;
import org.identityconnectors.framework.common.objects.AttributeBuilder;
import org.identityconnectors.framework.common.objects.AttributeUtil;
import org.identityconnectors.framework.common.objects.ConnectorObject;
import org.identityconnectors.framework.common.objects.Name;
import org.identityconnectors.framework.common.objects.ObjectClass;
import org.identityconnectors.framework.common.objects.OperationOptionsBuilder;
import org.identityconnectors.framework.common.objects.SearchResult;
import org.identityconnectors.framework.common.objects.filter.FilterBuilder;
import org.identityconnectors.framework.spi.SearchResultsHandler;

/**
 * Everybody of a directory into a SCIM service: read by pages, looked up by userName, created unless found.
 *
 * Arguments: port, bind DN, password and base of the directory, base address of the service, users in parallel.
 * Prints one line of JSON: people, seconds and cpu (all threads) from the start of the read to the last create.
 * The connectors are called directly, without the framework's facade around them: less work than under Syncope.
 */
public final class Peer {
    private static final String ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    private static final String[] WANTED = {
        "uid", "mail", "displayName", "givenName", "sn", "title", "telephoneNumber", "departmentNumber", "employeeNumber"
    };

    public static void main(final String[] arguments) throws Exception {
        long cpu = cpuTime();
        long start = System.nanoTime();
        List<ConnectorObject> people = read(arguments);
        write(people, arguments[4], Integer.parseInt(arguments[5]));
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.printf(
                java.util.Locale.ROOT, "{\"people\": %d, \"seconds\": %f, \"cpu\": %f}%n",
                people.size(), seconds, (cpuTime() - cpu) / 1e9);
    }

    private static List<ConnectorObject> read(final String[] arguments) {
        LdapConfiguration configuration = new LdapConfiguration();
        configuration.setHost("127.0.0.1");
        configuration.setPort(Integer.parseInt(arguments[0]));
        configuration.setPrincipal(arguments[1]);
        configuration.setCredentials(new GuardedString(arguments[2].toCharArray()));
        configuration.setBaseContexts(arguments[3]);
        configuration.setAccountObjectClasses("inetOrgPerson");
        configuration.setUidAttribute("entryUUID");
        LdapConnector connector = new LdapConnector();
        connector.init(configuration);
        List<ConnectorObject> people = new ArrayList<>();
        String cookie = null;
        do {
            Page page = new Page(people);
            OperationOptionsBuilder options = new OperationOptionsBuilder().setPageSize(500).setAttributesToGet(WANTED);
            if (cookie != null) {
                options.setPagedResultsCookie(cookie);
            }
            connector.executeQuery(ObjectClass.ACCOUNT, null, page, options.build());
            cookie = page.next;
        } while (cookie != null && !cookie.isEmpty());
        connector.dispose();
        return people;
    }

    /** Takes the people of one page, and what the next one is asked for with. */
    private static final class Page implements SearchResultsHandler {
        private final List<ConnectorObject> people;
        private String next;

        Page(final List<ConnectorObject> people) {
            this.people = people;
        }

        @Override
        public boolean handle(final ConnectorObject person) {
            return people.add(person);
        }

        @Override
        public void handleResult(final SearchResult result) {
            next = result.getPagedResultsCookie();
        }
    }

    private static void write(final List<ConnectorObject> people, final String address, final int parallel)
            throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(parallel);
        List<Future<?>> parts = new ArrayList<>();
        for (int number = 0; number < parallel; number++) {
            int first = number;
            parts.add(threads.submit(() -> {
                SCIMv2Connector connector = open(address);
                for (int at = first; at < people.size(); at += parallel) {
                    createUnlessFound(connector, people.get(at));
                }
                connector.dispose();
            }));
        }
        for (Future<?> part : parts) {
            part.get();
        }
        threads.shutdown();
    }

    private static SCIMv2Connector open(final String address) {
        SCIMConnectorConfiguration configuration = new SCIMConnectorConfiguration();
        configuration.setBaseAddress(address);
        configuration.setBearerToken("let-me-in");
        configuration.setAccept("application/scim+json");
        configuration.setContentType("application/scim+json");
        SCIMv2Connector connector = new SCIMv2Connector();
        connector.init(configuration);
        return connector;
    }

    private static void createUnlessFound(final SCIMv2Connector connector, final ConnectorObject person) {
        String name = text(person, "mail");
        Set<String> found = new HashSet<>();
        connector.executeQuery(
                ObjectClass.ACCOUNT,
                FilterBuilder.equalTo(new Name(name)),
                hit -> found.add(hit.getUid().getUidValue()),
                new OperationOptionsBuilder().build());
        if (found.isEmpty()) {
            connector.create(ObjectClass.ACCOUNT, account(person, name), new OperationOptionsBuilder().build());
        }
    }

    private static Set<Attribute> account(final ConnectorObject person, final String name) {
        Set<Attribute> account = new HashSet<>();
        account.add(new Name(name));
        account.add(AttributeBuilder.buildEnabled(true));
        copy(person, "uid", account, "externalId");
        copy(person, "displayName", account, "displayName");
        copy(person, "givenName", account, "name.givenName");
        copy(person, "sn", account, "name.familyName");
        copy(person, "title", account, "title");
        copy(person, "mail", account, "emails.work.value");
        copy(person, "telephoneNumber", account, "phoneNumbers.work.value");
        copy(person, "departmentNumber", account, ENTERPRISE + ":department");
        copy(person, "employeeNumber", account, ENTERPRISE + ":employeeNumber");
        return account;
    }

    private static void copy(
            final ConnectorObject person, final String from, final Set<Attribute> account, final String to) {
        String value = text(person, from);
        if (value != null) {
            account.add(AttributeBuilder.build(to, value));
        }
    }

    private static String text(final ConnectorObject person, final String name) {
        Attribute attribute = person.getAttributeByName(name);
        return attribute == null ? null : AttributeUtil.getStringValue(attribute);
    }

    private static long cpuTime() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }
}
